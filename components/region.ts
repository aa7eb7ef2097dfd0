import type * as pulumi from "@pulumi/pulumi";

/**
 * A component's options, with which all its AWS resources are in a Region other than the provider's. With the provider's own
 * credentials and settings, whatever they are: a second provider would have to repeat them all.
 */
export function inRegion(
  region: string | undefined,
  opts: pulumi.ComponentResourceOptions | undefined,
): pulumi.ComponentResourceOptions | undefined {
  if (region === undefined) return opts;
  const place: pulumi.ResourceTransformation = ({ type, props, opts: own }) =>
    type.startsWith("aws:") ? { props: { ...(props as object), region }, opts: own } : undefined;
  return { ...opts, transformations: [place, ...(opts?.transformations ?? [])] };
}
