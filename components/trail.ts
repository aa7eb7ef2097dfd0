/** What the components of an account's trail and of an organization's trail share. */
import * as pulumi from "@pulumi/pulumi";
import { Trail } from "@pulumi/aws/cloudtrail";
import { bucketNameProblem, keyArnProblem, logPrefixProblem, trailNameProblem } from "../core/names";
import { checkedInputs } from "./inputs";

/** A basic event selector. https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_EventSelector.html */
export interface TrailEventSelector {
  /** Which management and data events: All, ReadOnly or WriteOnly. Default: All. */
  readWriteType?: pulumi.Input<string>;
  /** Whether management events are recorded. Default: true. */
  includeManagementEvents?: pulumi.Input<boolean>;
  /** Services whose management events are left out: kms.amazonaws.com, rdsdata.amazonaws.com. */
  excludeManagementEventSources?: pulumi.Input<pulumi.Input<string>[]>;
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
  /** For example eventCategory, eventName, readOnly, resources.type, resources.ARN. */
  field: pulumi.Input<string>;
  equals?: pulumi.Input<pulumi.Input<string>[]>;
  notEquals?: pulumi.Input<pulumi.Input<string>[]>;
  startsWith?: pulumi.Input<pulumi.Input<string>[]>;
  notStartsWith?: pulumi.Input<pulumi.Input<string>[]>;
  endsWith?: pulumi.Input<pulumi.Input<string>[]>;
  notEndsWith?: pulumi.Input<pulumi.Input<string>[]>;
}

/** What any trail that delivers to the archive is made of. */
interface DeliveringTrailArgs {
  trailName: pulumi.Input<string>;
  bucketName: pulumi.Input<string>;
  keyArn: pulumi.Input<string>;
  logPrefix?: pulumi.Input<string>;
  isMultiRegionTrail?: pulumi.Input<boolean>;
  enableLogFileValidation?: pulumi.Input<boolean>;
  includeGlobalServiceEvents?: pulumi.Input<boolean>;
  enableLogging?: pulumi.Input<boolean>;
  eventSelectors?: pulumi.Input<pulumi.Input<TrailEventSelector>[]>;
  advancedEventSelectors?: pulumi.Input<pulumi.Input<TrailAdvancedEventSelector>[]>;
  insightTypes?: pulumi.Input<pulumi.Input<string>[]>;
  tags?: pulumi.Input<{ [key: string]: pulumi.Input<string> }>;
}

type CheckedTrailArgs = Pick<DeliveringTrailArgs, "trailName" | "bucketName" | "keyArn" | "logPrefix">;

/** The names that a trail is made of, checked. */
export function checkedTrail(component: string, args: DeliveringTrailArgs): CheckedTrailArgs {
  return checkedInputs(
    component,
    { trailName: args.trailName, bucketName: args.bucketName, keyArn: args.keyArn, logPrefix: args.logPrefix },
    {
      trailName: trailNameProblem,
      bucketName: bucketNameProblem,
      keyArn: keyArnProblem,
      logPrefix: (value) => (value === "" ? undefined : logPrefixProblem(value)),
    },
  );
}

/** The trail, with every Region, validation and logging unless said otherwise. */
export function deliveringTrail(
  name: string,
  args: DeliveringTrailArgs,
  isOrganizationTrail: pulumi.Input<boolean> | undefined,
  opts: pulumi.CustomResourceOptions,
): Trail {
  return new Trail(
    name,
    {
      name: args.trailName,
      s3BucketName: args.bucketName,
      s3KeyPrefix: pulumi.output(args.logPrefix).apply((prefix) => prefix || (undefined as unknown as string)),
      kmsKeyId: args.keyArn,
      isOrganizationTrail,
      isMultiRegionTrail: args.isMultiRegionTrail ?? true,
      enableLogFileValidation: args.enableLogFileValidation ?? true,
      includeGlobalServiceEvents: args.includeGlobalServiceEvents ?? true,
      enableLogging: args.enableLogging ?? true,
      eventSelectors: args.eventSelectors,
      advancedEventSelectors: args.advancedEventSelectors,
      insightSelectors: args.insightTypes
        ? pulumi.output(args.insightTypes).apply((types) => types.map((insightType) => ({ insightType })))
        : undefined,
      tags: args.tags,
    },
    opts,
  );
}
