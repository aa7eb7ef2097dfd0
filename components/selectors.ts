import type { cloudtrail } from "@pulumi/aws/types/input";
import type { AdvancedEventSelector } from "../core/events";

/**
 * Advanced event selectors as the provider takes them. It has a plural for some operators, and drops without a word what it
 * does not know: the selector would record more than it was meant to.
 */
export function providerSelectors(selectors: AdvancedEventSelector[]): cloudtrail.TrailAdvancedEventSelector[] {
  return selectors.map(({ name, fieldSelectors }) => ({
    name,
    fieldSelectors: fieldSelectors.map(
      ({ field, equals, notEquals, startsWith, notStartsWith, endsWith, notEndsWith }) => ({
        field,
        equals,
        notEquals,
        startsWiths: startsWith,
        notStartsWiths: notStartsWith,
        endsWiths: endsWith,
        notEndsWiths: notEndsWith,
      }),
    ),
  }));
}
