/** The SQS queue that S3 notifies of new log files. */
import * as pulumi from "@pulumi/pulumi";
import { Queue, QueuePolicy } from "@pulumi/aws/sqs";
import { accountIdProblem, type Partition, partitions } from "../core/accounts";
import { bucketNameProblem, roleArnProblem } from "../core/names";
import { notificationQueuePolicy } from "../core/policies/beside";
import { serialize } from "../core/policies/document";
import { tagsProblem } from "../core/tags";
import { checkedInputs, derive, oneOf, partitionOrDefault } from "./inputs";

/** Arguments of {@link NotificationQueue}. */
export interface NotificationQueueArgs {
  /** Name of the queue, at most 80 characters. A change replaces the queue, with the messages in it. */
  queueName: pulumi.Input<string>;
  /** Name of the bucket whose new objects are reported; in the same Region. */
  sourceBucketName: pulumi.Input<string>;
  /** The account that owns both: 12 digits. */
  accountId: pulumi.Input<string>;
  /** Partition of the account: aws, aws-cn or aws-us-gov. Default: aws. */
  partition?: pulumi.Input<Partition>;
  /** ARNs of the only roles that may change the queue, or send to it; who else may receive is for IAM policies to say. The role that deploys must be among them. Default: none, IAM policies alone decide. */
  breakGlassRoleArns?: pulumi.Input<pulumi.Input<string>[]>;
  /** Tags of the queue. */
  tags?: pulumi.Input<{ [key: string]: pulumi.Input<string> }>;
}

/**
 * An SQS queue to which S3 sends notifications of each new object of one bucket: encrypted by SQS, TLS only, messages kept for 14 days.
 * Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/EventNotifications.html
 */
export class NotificationQueue extends pulumi.ComponentResource {
  /** ARN of the queue, once S3 may send to it. */
  public readonly queueArn: pulumi.Output<string>;

  constructor(name: string, args: NotificationQueueArgs, opts?: pulumi.ComponentResourceOptions) {
    // Before the component exists: of arguments that cannot be right, nothing is registered.
    const { tags, queueName, ...inputs } = checkedInputs(
      "NotificationQueue",
      {
        tags: args.tags,
        queueName: args.queueName,
        sourceBucketName: args.sourceBucketName,
        accountId: args.accountId,
        partition: args.partition,
        breakGlassRoleArns: args.breakGlassRoleArns,
      },
      {
        tags: tagsProblem,
        queueName: (value) =>
          /^[A-Za-z0-9_-]{1,80}$/.test(value)
            ? undefined
            : "a queue name has 1 to 80 letters, digits, '_' and '-' only",
        sourceBucketName: bucketNameProblem,
        accountId: accountIdProblem,
        partition: oneOf(partitions),
        breakGlassRoleArns: roleArnProblem,
      },
    );

    super("crosstrail:index:NotificationQueue", name, {}, opts);

    const queue = new Queue(
      `${name}-queue`,
      {
        name: queueName,
        // SQS's own encryption: S3 cannot send to a queue with the key that AWS manages for SQS.
        sqsManagedSseEnabled: true,
        // The maximum: the reader of the queue may be down for a weekend.
        messageRetentionSeconds: 1_209_600,
        tags,
      },
      { parent: this },
    );
    const policy = derive({ ...inputs, queueArn: queue.arn }, ({ partition, ...rest }) =>
      serialize(notificationQueuePolicy({ ...rest, partition: partitionOrDefault(partition) })),
    );
    const guard = new QueuePolicy(`${name}-policy`, { queueUrl: queue.url, policy }, { parent: this });

    // S3 tries the queue when notifications to it are switched on, so its policy comes first.
    this.queueArn = pulumi.all([queue.arn, guard.id]).apply(([arn]) => arn);
    this.registerOutputs({ queueArn: this.queueArn });
  }
}
