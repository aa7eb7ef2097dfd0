/** Event selectors: as arguments of components, and as the provider takes them. */
import type * as pulumi from "@pulumi/pulumi";
import type { cloudtrail } from "@pulumi/aws/types/input";
import type { AdvancedEventSelector, ExcludableEventSource, ReadWriteType } from "../core/events";

/** A basic event selector. https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_EventSelector.html */
export interface TrailEventSelector {
  /** Which management and data events: All, ReadOnly or WriteOnly. Default: All. */
  readWriteType?: pulumi.Input<ReadWriteType>;
  /** Whether management events are recorded. Default: true. */
  includeManagementEvents?: pulumi.Input<boolean>;
  /** Services whose management events are left out: kms.amazonaws.com, rdsdata.amazonaws.com. */
  excludeManagementEventSources?: pulumi.Input<pulumi.Input<ExcludableEventSource>[]>;
  /** Data events to record. AWS bills them. */
  dataResources?: pulumi.Input<pulumi.Input<TrailDataResource>[]>;
}

/** Resources whose data events a basic event selector records. */
export interface TrailDataResource {
  /** For example AWS::S3::Object or AWS::Lambda::Function. */
  type: pulumi.Input<string>;
  /** ARNs, or beginnings of ARNs. */
  values: pulumi.Input<pulumi.Input<string>[]>;
}

/** An advanced event selector. https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_AdvancedEventSelector.html */
export interface TrailAdvancedEventSelector {
  /** What the selector is called in the console. */
  name?: pulumi.Input<string>;
  /** All of these must match. */
  fieldSelectors: pulumi.Input<pulumi.Input<TrailFieldSelector>[]>;
}

/** A condition on one field of an event. */
export interface TrailFieldSelector {
  /** eventCategory, eventName, eventSource, readOnly, resources.ARN, resources.type or userIdentity.arn: what the AWS provider takes. */
  field: pulumi.Input<string>;
  /** Values, one of which the field must have. */
  equals?: pulumi.Input<pulumi.Input<string>[]>;
  /** Values that the field must not have. */
  notEquals?: pulumi.Input<pulumi.Input<string>[]>;
  /** Beginnings, one of which the field must have. */
  startsWith?: pulumi.Input<pulumi.Input<string>[]>;
  /** Beginnings that the field must not have. */
  notStartsWith?: pulumi.Input<pulumi.Input<string>[]>;
  /** Endings, one of which the field must have. */
  endsWith?: pulumi.Input<pulumi.Input<string>[]>;
  /** Endings that the field must not have. */
  notEndsWith?: pulumi.Input<pulumi.Input<string>[]>;
}

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
        equals: unlessEmpty(equals),
        notEquals: unlessEmpty(notEquals),
        startsWiths: unlessEmpty(startsWith),
        notStartsWiths: unlessEmpty(notStartsWith),
        endsWiths: unlessEmpty(endsWith),
        notEndsWiths: unlessEmpty(notEndsWith),
      }),
    ),
  }));
}

/** The provider refuses an empty list. */
function unlessEmpty(values: string[] | undefined): string[] | undefined {
  return values?.length === 0 ? undefined : values;
}
