/** An AWS of which the environment's credentials see an account's trails. */
import { withAws } from "./aws";

/** What an account has, in AWS's own words. */
export interface AccountAnswers {
  accountId: string;
  /** Trails by Region; every other Region has none. */
  trails: Record<string, Record<string, unknown>[]>;
  /** Regions that refuse, with this error. */
  refuses?: Record<string, string>;
  /** What the other calls of CloudTrail answer, by name. */
  answers?: Record<string, object>;
  /** STS refuses the credentials. */
  refusesCredentials?: boolean;
}

/** What was asked: `eu-west-1 DescribeTrails`. */
export type Asked = string[];

/** Runs `act` while the environment's AWS is that account. */
export async function withAccount<Value>(
  account: AccountAnswers,
  act: (asked: Asked) => Promise<Value>,
): Promise<Value> {
  const asked: Asked = [];
  return withAws(
    ({ operation, region }) => {
      asked.push(`${region} ${operation}`);
      if (operation === "GetCallerIdentity") {
        const { accountId } = account;
        return account.refusesCredentials
          ? [
              403,
              "<ErrorResponse><Error><Code>InvalidClientTokenId</Code><Message>no</Message></Error></ErrorResponse>",
            ]
          : [
              200,
              `<GetCallerIdentityResponse><GetCallerIdentityResult><Account>${accountId}</Account><Arn>arn:aws:sts::${accountId}:assumed-role/a/b</Arn></GetCallerIdentityResult></GetCallerIdentityResponse>`,
            ];
      }
      const error = account.refuses?.[region];
      if (error) return [400, { __type: error, message: "no" }];
      if (operation === "DescribeTrails") return [200, { trailList: account.trails[region] ?? [] }];
      return [200, account.answers?.[operation] ?? {}];
    },
    () => act(asked),
  );
}
