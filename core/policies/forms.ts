/** The choice among the forms of a policy: the tightest that fits AWS's size limit. */
import { UserError } from "../findings";
import type { TrailIdentity } from "../names";
import type { PolicyDocument } from "./document";
import { size } from "./document";

/** A policy, and the form it is written in. */
export interface FormChoice<Form extends string> {
  form: Form;
  document: PolicyDocument;
}

/**
 * Builds the demanded form, or the first of `forms` that fits in `limit` bytes.
 * A demanded form that does not fit is an error that names the tightest one that does.
 */
export function chooseForm<Form extends string>(options: {
  what: string;
  key: string;
  limit: number;
  forms: Form[];
  demanded?: Form;
  build: (form: Form) => PolicyDocument;
  trails: TrailIdentity[];
}): FormChoice<Form> {
  const { what, key, limit, forms, demanded, build, trails } = options;
  const count = trails.length;
  // Every form but `organization` names each account. Building what cannot fit takes minutes for tens of thousands.
  const least = new Set(trails.map(({ accountId }) => accountId)).size * `"111111111111",`.length;
  const fits = (form: Form): FormChoice<Form> | undefined => {
    if (form !== "organization" && least > limit) return undefined;
    const document = build(form);
    return size(document) <= limit ? { form, document } : undefined;
  };
  if (demanded && !forms.includes(demanded)) {
    throw new UserError(`The ${what} cannot be written in this form.`, [
      {
        id: "policy/form",
        severity: "error",
        subject: `${key}: ${demanded}`,
        message: "This form is for members of an organization with their own trails; no organization is declared.",
        remedy: `Declare crosstrail:organization, or remove ${key} to use the tightest form that fits.`,
      },
    ]);
  }
  const choice = demanded ? fits(demanded) : firstOf(forms, fits);
  if (choice) return choice;

  const tightest = firstOf(forms, fits);
  const form = demanded ?? (forms[forms.length - 1] as Form);
  throw new UserError(`The ${what} does not fit.`, [
    {
      id: "policy/too-large",
      severity: "error",
      subject: `${key}: ${demanded ?? "auto"}`,
      message: `Form ${form} for ${count} trails needs ${size(build(form))} bytes; AWS allows ${limit}.`,
      remedy: tightest
        ? `Set ${key} to ${tightest.form} (${size(tightest.document)} bytes), or remove the key to use the tightest form that fits.`
        : "If the accounts are members of one organization, declare crosstrail:organization. Otherwise, deliver some of them to a second archive: another audit stack with its own bucket and key.",
    },
  ]);
}

function firstOf<In, Out>(values: In[], find: (value: In) => Out | undefined): Out | undefined {
  for (const value of values) {
    const found = find(value);
    if (found !== undefined) return found;
  }
  return undefined;
}
