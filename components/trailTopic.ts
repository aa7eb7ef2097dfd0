/** The SNS topic that a trail notifies of new log files, with its key. */
import * as pulumi from "@pulumi/pulumi";
import { Key } from "@pulumi/aws/kms";
import { Topic, TopicPolicy } from "@pulumi/aws/sns";
import { topicNameOf, topicNameProblem } from "../core/delivery";
import { topicArn, topicKeyPolicy, topicPolicy } from "../core/policies/delivery";
import { serialize } from "../core/policies/document";
import { tagsProblem } from "../core/tags";
import { allTags, checkedInputs, derive, trailArnProblem, trailsOfAccount } from "./inputs";

/** Arguments of {@link TrailTopic}. */
export interface TrailTopicArgs {
  /** ARNs of the trails that publish to the topic: one, or two while a trail is being renamed. All of this account. */
  trailArns: pulumi.Input<pulumi.Input<string>[]>;
  /** Name of the topic. Default: the trail's name, with -deliveries behind. A change replaces the topic; its subscriptions go with it. */
  topicName?: pulumi.Input<string>;
  /** Whether messages are encrypted at rest with a KMS key of the topic's own, which has a monthly price. Default: true. */
  encrypted?: boolean;
  /** Tags of the key only, beside `tags`. Default: none. */
  keyTags?: pulumi.Input<{ [key: string]: pulumi.Input<string> }>;
  /** Tags of the topic and the key. */
  tags?: pulumi.Input<{ [key: string]: pulumi.Input<string> }>;
}

/**
 * A topic to which a trail publishes a message for every delivery of a log file. CloudTrail may publish to it for the given
 * trails only; messages name bucket and object, and hold no events.
 * Source: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/configure-sns-notifications-for-cloudtrail.html
 */
export class TrailTopic extends pulumi.ComponentResource {
  /** Name of the topic; known when CloudTrail may publish to it. */
  public readonly topicName: pulumi.Output<string>;
  /** ARN of the topic, for subscriptions. */
  public readonly topicArn: pulumi.Output<string>;

  constructor(name: string, args: TrailTopicArgs, opts?: pulumi.ComponentResourceOptions) {
    // Before the component exists: of arguments that cannot be right, nothing is registered.
    const { tags, ...inputs } = checkedInputs(
      "TrailTopic",
      { tags: args.tags, trailArns: args.trailArns, topicName: args.topicName },
      { tags: tagsProblem, trailArns: trailArnProblem, topicName: topicNameProblem },
      [["trailArns"], (known) => trailsOfAccount(known.trailArns)],
    );
    const derived = derive(inputs, ({ trailArns, topicName }) => {
      const trails = trailsOfAccount(trailArns);
      const named = topicName ?? topicNameOf(trails[0].name);
      return {
        topicName: named,
        policy: serialize(topicPolicy(topicArn(trails[0], named), trails)),
        keyPolicy: serialize(topicKeyPolicy(trails[0], trails)),
      };
    });
    const { topicName, policy, keyPolicy } = pulumi.output(derived);

    super("crosstrail:index:TrailTopic", name, {}, opts);

    const key =
      (args.encrypted ?? true)
        ? new Key(
            `${name}-topic-key`,
            {
              description: "Encrypts the delivery messages of a CloudTrail trail (Crosstrail)",
              enableKeyRotation: true,
              deletionWindowInDays: 30,
              policy: keyPolicy,
              tags: allTags(tags, args.keyTags),
            },
            { parent: this },
          )
        : undefined;
    const topic = new Topic(`${name}-topic`, { name: topicName, kmsMasterKeyId: key?.arn, tags }, { parent: this });
    const attached = new TopicPolicy(`${name}-topic-policy`, { arn: topic.arn, policy }, { parent: this });

    // CloudTrail tries the topic when a trail gets it, so the name is not known before the policy is there.
    this.topicName = pulumi.all([topic.name, attached.id]).apply(([known]) => known);
    this.topicArn = topic.arn;
    this.registerOutputs({ topicName: this.topicName, topicArn: this.topicArn });
  }
}
