/**
 * What a check found. Checks return findings instead of throwing, so that every mistake is reported at once.
 * Programs and commands turn findings of severity `error` into one {@link UserError}.
 */
export interface Finding {
  /** Stable id, for example `config/account-id`. */
  id: string;
  severity: "error" | "warning" | "info";
  /** The key or resource it is about, as the user wrote it. */
  subject: string;
  /** What is wrong, with the value and what is allowed. */
  message: string;
  /** The next step. */
  remedy: string;
}

/**
 * An error that the user can mend. Its message is complete by itself and is shown without a stack trace; everything
 * else that is thrown is a bug of ours and keeps its stack.
 */
export class UserError extends Error {
  readonly findings: Finding[];

  constructor(headline: string, findings: Finding[]) {
    super([headline, ...findings.map(formatFinding)].join("\n"));
    this.name = "UserError";
    this.findings = findings;
  }
}

/** A finding as text: the subject, then what is wrong, then the remedy; lines of their own, indented. */
export function formatFinding(finding: Finding): string {
  const remedy = finding.remedy.split("\n").join("\n      ");
  return `\n  ${finding.subject}\n    ${finding.message}\n    → ${remedy}`;
}

/**
 * The catalogue: what each finding means and what to do, in general; the finding itself says it for its case. docs/findings.md is
 * written from here (npm run docs), and a test compares it with the ids that the code writes.
 */
// prettier-ignore
export const findingIds: Record<string, [meaning: string, whatToDo: string]> = {
  // A stack's configuration.
  "config/account-id": ["An account id is not a text of 12 digits.", "Write it in quotes, with leading zeros."],
  "config/alias": ["A member's alias is not well formed.", "Use lower-case letters, digits and hyphens."],
  "config/archive": ["Two controls of the archive exclude each other, or one of them is incomplete.", "Follow the message; [archive.md](archive.md) says what goes with what."],
  "config/audit-stack": ["A member stack has neither or both of `auditStack` and `contract`.", "Set one of them."],
  "config/bucket-name": ["S3 would refuse the bucket's name.", "Choose a name by S3's rules, which the message gives."],
  "config/break-glass": ["A break-glass role is of another account or partition.", "Name a role of the audit account."],
  "config/contract": ["A value of the contract in the configuration is missing or malformed.", "Copy the audit stack's outputs."],
  "config/duplicate-account": ["An account is declared twice, or the audit account as a member.", "Keep one entry."],
  "config/duplicate-alias": ["Two accounts have the same alias.", "Give each one its own."],
  "config/duplicate-reader": ["Two readers have the same role name.", "Give each one its own name."],
  "config/import-trail": ["The trail that a member stack is to take over is another account's or Region's, or none is named.", "Correct `importTrail`, or remove `leaveAsIs`."],
  "config/events": ["CloudTrail would refuse these events: a limit, a field that the category does not have, or two ways to choose at once.", "Correct it as the message says; docs/events.md has the limits."],
  "config/global-events": ["A multi-Region trail must record events of global services.", "Leave `includeGlobalServiceEvents` on, or make it a trail of one Region."],
  "config/key-generation": ["`previousKeyInUse` is set where there is no former key.", "Raise `keyGeneration` to make a new key, or remove it."],
  "config/log-prefix": ["The log prefix cannot be used.", "Choose one without wildcards and without `AWSLogs/`."],
  "config/member-access": ["`memberAccess` names the audit account, whose IAM policies say who reads.", "Remove it."],
  "config/mfa": ["Roles are exempt from MFA, but nobody is asked for it.", "Set `requireMfa`, or remove `mfaExemptRoles`."],
  "config/missing": ["A key is not set that the stack needs.", "Set it; the message shows an example."],
  "config/no-config": ["A stack's file has no `config:`.", "Give a stack's file, such as `Pulumi.audit.yaml`."],
  "config/no-trail": ["A log group or a topic is asked for, but the audit account has no trail that could deliver there.", "Set `auditAccountTrail`, or remove the key."],
  "config/not-audit": ["The file is another stack's.", "Give the audit stack's, which declares the fleet."],
  "config/organization": ["A value needs `crosstrail:organization`, or does not go together with it.", "Declare the organization, or correct the value as the message says."],
  "config/partition": ["A role of another partition is named; it cannot reach the archive.", "Correct it."],
  "config/region": ["The Region is not set, is unknown, or is of another partition.", "Correct `aws:region`; for a new Region see `crosstrail:extraRegions`."],
  "config/replica-region": ["The key cannot have a replica in this Region, or has it already.", "Remove the Region."],
  "config/replication": ["The copies of the logs have no place, or one that is none.", "Give another Region or account, and a bucket, as the message says."],
  "config/role": ["The stack's role is not set, or is none.", "Set `crosstrail:role` to `audit`, `member` or `management`."],
  "config/secret": ["A value is encrypted, and only Pulumi can read it.", "Set it again without `--secret`: none of them is a secret."],
  "config/trail-name": ["CloudTrail would refuse the trail's name.", "Choose a name by CloudTrail's rules, which the message gives."],
  "config/type": ["A value is of another type than its key.", "Correct it; `pulumi config set --path` helps with lists."],
  "config/unknown-key": ["There is no such key.", "Correct its spelling, or remove it."],
  "config/unknown-member": ["An account is named that is not in the fleet.", "Declare it in `crosstrail:members`, or remove it."],
  "config/value": ["A value is not one of those that its key allows.", "Correct it as the message says."],
  "config/wrong-role": ["The key is for stacks of another role.", "Remove it, or set it in the other stack."],
  "config/yaml": ["A stack's file is not YAML.", "Correct it where the message says."],
  // Between the stacks.
  "contract/audit-account": ["A member stack is for the audit account itself.", "Use the audit stack's own trail instead."],
  "contract/json": ["The file is not what `pulumi stack output --json` prints.", "Write it anew from the audit stack."],
  "contract/missing": ["The stack's outputs are no contract.", "Name an audit stack that was deployed."],
  "contract/no-organization": ["The audit stack authorises no organization trail.", "Add the lines that the message shows to the audit stack, and deploy it."],
  "contract/not-a-member": ["The audit stack does not authorise this account.", "Add the lines that the message shows to the audit stack, and deploy it."],
  "contract/partition": ["The member is in another partition than the archive.", "Use an audit stack of the same partition."],
  "contract/region": ["The stack's Region is not its trail's home Region, where alone it can be changed.", "Set `aws:region`, or `homeRegion` in the audit stack."],
  "contract/value": ["A value of the contract is missing or malformed.", "Deploy the audit stack again: it writes them anew."],
  "contract/version": ["The two stacks were deployed with versions of Crosstrail that do not fit together.", "Update the side that the message names."],
  "archive/break-glass-role": ["A break-glass role does not exist, or has another ARN.", "Create it, or name it as the message shows."],
  "archive/irreversible": ["A deployed control of the archive cannot be changed like this.", "Set it back, as the message says."],
  "archive/locked-out": ["Whoever deploys is not among the break-glass roles, and could not deploy again.", "Add the role that the message names, or deploy with one of them."],
  "archive/moved": ["The account, Region or bucket of a deployed archive was changed.", "Set it back; another archive is another audit stack."],
  "archive/replica-moved": ["The bucket with copies of the logs would be replaced.", "Set it back, or take the bucket out of the stack first."],
  "archive/single-region-key": ["The deployed key is of one Region for ever, and replicas of it are asked for.", "Give the copies a key of their own, or let the trails move to a new key."],
  "archive/key-generation": ["`keyGeneration` was lowered; logs of that key could not be read.", "Set it back."],
  // The organization, asked by the management stack.
  "organization/all-features": ["Only consolidated billing is on.", "Turn all features on, or let `enableAllFeatures` do it."],
  "organization/all-features-pending": ["Invited accounts have to agree to all features.", "Wait for them, confirm the handshake, and run it again."],
  "organization/delegated-administrator": ["Only the management account registers delegated administrators.", "Set the key in its stack."],
  "organization/delegated-conversion": ["A delegated administrator cannot turn an account's trail into the organization's, or back.", "Do it in the management account."],
  "organization/home-region": ["A trail of this name has its home in another Region.", "Use that Region, or another name."],
  "organization/id": ["The account is in another organization than the audit stack declares.", "Correct the id, or the credentials."],
  "organization/left": ["A declared member is not in the organization (any longer).", "Give it `inOrganization: false`, or remove it."],
  "organization/management-account": ["The organization has another management account than the audit stack declares.", "Correct it there."],
  "organization/member-account": ["The stack is for a member account that is no delegated administrator.", "Use the management account, or register this one."],
  "organization/name-taken": ["A trail of this name exists that this stack has not made.", "Import it, or choose another name."],
  "organization/not-in-use": ["The account is in no organization.", "Use the management account, or a member stack."],
  "organization/second-trail": ["There is another organization trail; AWS bills the second copy of management events.", "Remove one, or accept it."],
  "organization/service-linked-role": ["CloudTrail's service-linked role is missing.", "Create it, or let `enableTrustedAccess` do it."],
  "organization/trusted-access": ["Trusted access for CloudTrail is not on.", "Turn it on, or let `enableTrustedAccess` do it."],
  // crosstrail migrate.
  "migrate/audit-stack": ["There is no audit stack among the configured ones, or more than one.", "Run it in the project's folder."],
  "migrate/management-account": ["The named stack is for another account than the organization's management account.", "Name that one's."],
  "migrate/not-in-place": ["A step would replace or remove a trail, key or bucket.", "Find out why with a preview, then resume or abandon."],
  "migrate/nothing-to-do": ["The fleet is there already.", "Nothing, or another aim."],
  "migrate/no-organization-trail": ["The named stack has no organization trail.", "Name the management stack."],
  "migrate/organization": ["No organization is declared.", "Give its id."],
  "migrate/prefix": ["No prefix is given.", "Give one."],
  "migrate/pulumi": ["Pulumi failed; its own words are in the message.", "Mend it, then resume."],
  "migrate/stack": ["It is not clear which stacks are meant.", "Name them with `--stack`."],
  "stack/no-audit-stack": ["The audit stack's outputs cannot be read.", "Correct `crosstrail:auditStack`, or deploy the audit stack first."],
  "stack/no-credentials": ["AWS does not say whose credentials these are.", "Log in again, or correct the stack's provider settings."],
  "stack/wrong-account": ["The credentials are another account's.", "Use those of the account that the message names."],
  "trail/replaced": ["A deployed trail would be replaced, and events would be missing meanwhile.", "Rename it with `previousTrailName`, as the message shows."],
  "trail/not-imported": ["The trail to take over is not the one that the audit stack authorises.", "Change the member's `trailName` and `homeRegion` in the audit stack, and deploy it."],
  "store/protected": ["A deployed event data store was removed from the configuration while it is protected.", "Set it back, or `keep: false` first, as the message shows."],
  "store/renamed": ["A deployed event data store has another name now, and would be replaced.", "Set the name back."],
  "events/excluded-source": ["A trail leaves out the management events of a service.", "Remove the exclusion, unless another trail of the account records them."],
  "events/no-management": ["A trail records no management events.", "Add `management` to `crosstrail:events`, unless another trail of the account records them."],
  "events/reads-only": ["A trail records no management events that change something.", "Set `crosstrail:readWriteType` to `All`, unless another trail of the account records them."],
  "events/recursive": ["A trail records the data events of the archive's own bucket, to which it delivers.", "Leave the archive's bucket out of the selector, as the message shows."],
  "events/writes-only": ["A trail records no management events that only read.", "Set `crosstrail:readWriteType` to `All`, unless another trail of the account records them."],
  "component/events": ["CloudTrail would refuse the events that a component is to record.", "Correct the argument as the message says."],
  "component/archive": ["Arguments of AuditBucket exclude each other.", "Correct them as the message says."],
  "component/input": ["An argument of a component is wrong.", "Correct it as the message says."],
  "component/organization": ["Trails or accounts of an organization are given without its id.", "Give `organizationId` as well."],
  "component/partition": ["A trail is of another partition than the archive.", "Set the component's `partition`, or remove the trail."],
  "component/trails": ["The trails for a log group or a topic are none, or not of one account and Region.", "Name one trail, or two while it is being renamed."],
  "reader/nobody": ["A reader's list of accounts is empty.", "Name an account, or remove the reader."],
  "reader/too-large": ["A reader's policy is larger than IAM allows.", "Divide the accounts among several readers."],
  // The fleet as a whole.
  "config/member-defaults": ["A default for member stacks is no key of theirs, or has a wrong value.", "Correct or remove it."],
  "fleet/mass-removal": ["The run would remove every member, more than half of them, or the organization trail.", "Check for a misspelt key; if it is meant, say so with `--remove-members`."],
  "fleet/account": ["A member's stack file is for another account than the audit stack declares.", "Correct one of the two."],
  "fleet/alias-renamed": ["What is deployed has another alias now, and so another stack.", "Rename the stack as the message shows."],
  "fleet/role": ["A stack's file has another role than the fleet's declaration.", "Give the member or the organization another alias, or correct the file."],
  "fleet/stack-name": ["Two stacks of the fleet have the same name.", "Give the member or the organization another alias."],
  "fleet/trail-name": ["A member in the organization is to get a trail of the organization trail's name.", "Remove the entry, or give its trail another name."],
  "fleet/unknown-stack": ["`--only` names a stack that the fleet does not have.", "Give the alias of a declared member, or the audit stack's name."],
  "archive/in-use": ["The audit stack is to be destroyed while trails still deliver.", "Destroy the whole fleet, or the trails first."],
  "archive/not-protected": ["The audit stack is to be destroyed, and nothing protects its archive.", "Protect it again, or name the bucket with `--delete-archive`."],
  "aws/throttled": ["AWS takes no more calls at this rate.", "Repeat the command later, with a smaller `--parallel`."],
  "archive/not-asked": ["The audit stack would take away what a trail may still need, and AWS could not be asked whether it does.", "Make the account accessible; if the trail or the account is gone, say so as the message shows."],
  "archive/not-read": ["The archive's policies could not be read, so it is not known whether trails deliver.", "Make the audit account accessible, then `crosstrail status`."],
  "archive/still-needed": ["A trail still delivers in a way that the new policies would refuse: its logs would be lost.", "Move the trail first, or keep what it needs; the message says how."],
  "backend/no-answer": ["The backend did not answer in time.", "Check whether it can be reached from here."],
  "backend/not-logged-in": ["Pulumi has no backend.", "Set `PULUMI_BACKEND_URL`, or log in."],
  "backend/refused": ["The backend is not there, or refuses to answer.", "Check `PULUMI_BACKEND_URL` and its credentials."],
  "stack/cancelled": ["The work on the stack was interrupted before it was done.", "Repeat the command; what was under way is looked up first."],
  "stack/failed": ["The engine reported an error that Crosstrail does not know more about.", "Correct the cause that the message gives."],
  "plugin/missing": ["A plugin that the engine needs is not there, and could not be downloaded.", "Run `pulumi install` where `get.pulumi.com` can be reached."],
  "stack/locked": ["Another process holds the stack's lock.", "Wait for it; `pulumi cancel` if it is gone for good."],
  "stack/missing": ["The backend has no such stack.", "Check which backend Pulumi is logged in to."],
  "stack/not-deployed": ["The stack is declared, and holds nothing.", "Run `crosstrail up` for it."],
  "stack/pending": ["An interrupted run had begun to create something, and whether AWS did is not known.", "Look in AWS, then `pulumi refresh`."],
  "stack/skipped": ["The stack was left alone, as another one has to be in order first.", "Mend that one and repeat the command."],
  "stack/timed-out": ["The stack's time was over before its operation was.", "Repeat the command; `--timeout` gives more time."],
  "stack/worker-died": ["The process that worked on the stack has ended before its work.", "Repeat the command."],
  "credentials/expired": ["The credentials have expired.", "Log in again and repeat the command."],
  "credentials/refused": ["AWS or the provider refused the credentials.", "Set `deployRole` or `deployProfile`, or log in."],
  "credentials/role-not-assumed": ["A role could not be assumed.", "Check that it exists and whom its trust policy names."],
  "secrets/passphrase": ["Pulumi cannot use the stack's secrets.", "Set the passphrase, the same one for all stacks of the fleet."],
  "pulumi/missing": ["There is no Pulumi CLI.", "Install it."],
  "pulumi/too-old": ["The Pulumi CLI is too old.", "Install a newer one."],
  "trail/archive-refuses": ["CloudTrail says that the bucket's or the key's policy does not let the trail deliver.", "Bring up the audit stack, then the member."],
  "trail/changed": ["A trail's option is not as configured.", "Run `pulumi refresh` and `crosstrail up` for the stack."],
  "trail/cut-off": ["The deployed policies refuse a trail as AWS has it: its logs are being lost.", "Bring up its stack as soon as possible; `crosstrail simulate --deployed` shows the statement."],
  "trail/delivery": ["A trail's bucket, prefix or key is not the one that the contract says.", "Run `crosstrail up --refresh` for its stack."],
  "trail/not-asked": ["Whether a trail still delivers is not known: AWS could not be asked.", "Run `crosstrail status` once the account can be accessed."],
  "trail/undecided": ["Whether a trail's logs arrive could not be decided: its key is not one of the archive's.", "Run `crosstrail up --refresh` for its stack."],
  "trail/logging": ["A trail logs, though it is configured not to.", "Run `crosstrail up` for the stack."],
  "trail/missing": ["The account has no such trail.", "Run `crosstrail up` for the stack."],
  "trail/not-logging": ["A trail does not log.", "Run `crosstrail up` for the stack."],
  "trail/selectors": ["A trail does not record what it is configured to.", "Find out who changed it, then refresh and bring it up."],
  // Policies that nobody can decide by.
  "policy/action": ["An action is not well formed, or the list of them is empty.", 'Write it like `s3:PutObject`, or `"*"`.'],
  "policy/action-missing": ["A statement has no action.", "Add `Action` or `NotAction`."],
  "policy/condition": ["The condition block is not an object of operators and keys.", "Correct its shape."],
  "policy/condition-key": ["Something else stands where a condition key should.", "Write it like `aws:SourceArn`."],
  "policy/condition-value": ["A condition's value is not of the operator's type.", "Correct the value, or use another operator."],
  "policy/document": ["The policy is not a JSON object.", "Give the whole document."],
  "policy/duplicate-key": ["An object has the same key twice, and only one of them would count.", "Join the two."],
  "policy/effect": ["The effect is neither `Allow` nor `Deny`.", "Correct it; letter case matters."],
  "policy/element": ["IAM has no such element, or it stands beside one that excludes it.", "Correct or remove it."],
  "policy/form": ["The demanded form is for members of an organization, and none is declared.", "Declare it, or have the form chosen."],
  "policy/json": ["The policy is not JSON.", "Correct it where the message says."],
  "policy/kind": ["A policy was compiled for something else than it is attached to.", "Compile it for the right kind."],
  "policy/not-principal": ["A role's trust policy has `NotPrincipal`.", "Name who may assume the role."],
  "policy/operator": ["There is no such condition operator.", "Correct it; letter case matters."],
  "policy/principal": ["A principal is not well formed.", "Name an account, user, role or service, or `*`."],
  "policy/principal-account": ["A principal's account has not 12 digits.", "Write all of them, with leading zeros."],
  "policy/principal-in-identity": ["An identity policy or a service control policy names a principal.", "Remove it."],
  "policy/principal-missing": ["A statement of a resource policy says nobody it is about.", "Add a `Principal`."],
  "policy/rcp": ["A resource control policy has what AWS Organizations refuses in it.", "Deny only, with `\"Principal\": \"*\"`, `Action` and conditions."],
  "policy/request": ["A request put to the evaluator is incomplete.", "Correct the request."],
  "policy/resource": ["A resource is not well formed, or the list of them is empty.", 'Write a whole ARN, or `"*"`.'],
  "policy/resource-missing": ["A statement has no resource.", "Add `Resource` or `NotResource`."],
  "policy/sid": ["A Sid is no text, or has characters that IAM refuses.", "Use letters and digits."],
  "policy/statement": ["There is no statement, or one is not an object.", "Correct the list of statements."],
  "policy/variable": ["A policy variable is not well formed.", "Correct it, or write `${$}` for the character itself."],
  "policy/version": ["The policy's version is unknown.", "Use `2012-10-17`."],
  // Policies that probably do not do what they were meant to.
  "policy/alias-via-ec2": [
    "A statement lets the console's old set-up page create an alias.",
    "Remove it where a program manages the alias.",
  ],
  "policy/arn-pattern": ["A pattern is not an ARN of six parts, so it matches nothing.", "Write all parts, each with its own wildcard."],
  "policy/condition-both": ["A yes-or-no condition lists both values, so it always holds.", "Keep one."],
  "policy/condition-empty": ["A condition compares nothing.", "Fill it in, or remove it."],
  "policy/confused-deputy": ["A service may act on behalf of any account.", "Add `aws:SourceArn` with the trails' ARNs."],
  "policy/cross-account-own": ["A statement for other accounts names the key's own account only.", "Name the other accounts."],
  "policy/for-all-values-allow": ["`ForAllValues` in an `Allow` also holds for requests without the key.", "Demand the key with `Null`."],
  "policy/mfa-deny-incomplete": ["A denial without MFA spares requests that have no such key.", "Use `BoolIfExists`."],
  "policy/mfa-not-required": ["`IfExists` in an `Allow` does not require MFA.", "Use `Bool`, or a `Deny` with `BoolIfExists`."],
  "policy/no-effect": ["KMS accepts the statement, but it has no effect.", "Add what is missing."],
  "policy/not-principal-allow": ["`Allow` with `NotPrincipal` allows everyone else in the world.", "Name the principals."],
  "policy/principal-canonical": ["A canonical user id does not say which account it belongs to.", "Name the account."],
  "policy/principal-deleted": ["A principal is the id of a user or role that was deleted.", "Remove it, or name the new one."],
  "policy/sid-duplicate": ["Two statements have the same Sid.", "Give each its own."],
  "policy/statement-duplicate": ["Two statements say the same.", "Remove one, or correct it."],
  "policy/variable-version": ["A policy variable is ordinary text in the policy's version.", 'Set `"Version": "2012-10-17"`, after a look at the other statements.'],
  "policy/wildcard-in-equals": ["A wildcard is an ordinary character for this operator.", "Use `StringLike` or `ArnLike`."],
  "policy/wildcard-principal": ["A statement allows everyone in the world.", "Name the principals, or add a condition on who they are."],
  // Policies that are written or merged.
  "policy/denial-left-out": ["`crosstrail policy` did not add a denial, which would hold for all that is in the bucket.", "Add it with `--denials`, if that suits the bucket's other uses."],
  "policy/key-arn": ["The key cannot encrypt the bucket's logs, or its ARN is malformed.", "Give the ARN of a key in the bucket's Region."],
  "policy/key-locked": ["Nobody could change the key policy any more; KMS refuses it.", "Keep the statement that lets the key's account administer it."],
  "policy/left-over": ["A statement of Crosstrail's is not needed by this fleet.", "Leave it out with `--without`, if it is of an earlier run."],
  "policy/lets-through": ["A current statement allows what Crosstrail's alone would refuse.", "Have its owner tie it to who needs it."],
  "policy/no-room": ["The statements do not fit beside the current ones.", "Make room, take a shorter form, or use a second archive."],
  "policy/no-such-sid": ["`--without` names a Sid that the current policy does not have.", "Correct it; the message lists those that there are."],
  "policy/no-trail": ["The fleet has no trail, so there is nothing to add.", "Declare the members."],
  "policy/prevents": ["A current statement keeps the audit account from reading logs.", "Have its owner spare who reads them."],
  "policy/sid-collision": ["The current policy has another statement of the same Sid.", "Leave it out with `--without` if it is Crosstrail's own; rename it if not."],
  "policy/stops-delivery": ["With the current statements, trails of the fleet could not deliver.", "Have the statement's owner spare CloudTrail."],
  "policy/too-large": ["A policy is larger than AWS allows.", "Take a shorter form, or a second archive; the message says which fits."],
  // MFA Delete.
  "mfa/drift": ["MFA Delete of the log bucket is not what is expected.", "Have the root user run the command that the message shows."],
  "mfa/lifecycle": ["The bucket has lifecycle rules, and S3 takes no MFA Delete with them.", "Remove them."],
  "mfa/no-mfa-device": ["The root user has no MFA device.", "Assign one that shows numbers."],
  "mfa/no-root-credentials": ["The root user has neither a password nor access keys.", "Let it recover its password for the time of the switch."],
  "mfa/root-access-keys": ["The root user has access keys.", "Delete them."],
  "mfa/versioning": ["The bucket's versioning is not on.", "Switch it on; the command for MFA Delete does both."],
  // Simulation.
  "case/malformed": ["A case of your own is not well formed.", "Correct it; [cli.md](cli.md) shows what a case looks like."],
  "case/none": ["A folder of cases has no `.json` file.", "Correct the path."],
  "simulate/case-failed": ["The answer to a case of your own is not the expected one.", "Correct the policy, or the case."],
  "simulate/failed": ["A policy allows what it must not, or refuses what must be possible.", "Deploy the policies that Crosstrail builds; find out who changed them."],
  "simulate/undecided": ["The answer depends on what is not known.", "Give its value, as the message says, or change the statement so that it does not depend on it."],
  "simulate/not-tied": ["Something is possible that the policy's form cannot prevent.", "Demand a tighter form, if it fits."],
  // Adopting what is there already.
  "adopt/audit-account": ["The audit account's own trail cannot be taken over by a member stack.", "Let the audit stack make its own, or keep this one beside it."],
  "adopt/cloudformation": ["The trail belongs to a CloudFormation stack.", "Take it out of that stack first, keeping it."],
  "adopt/control-tower": ["The trail is AWS Control Tower's.", "Leave it to Control Tower."],
  "adopt/file": ["The stack's file cannot be written, or is there already.", "Choose another `--alias` or `--out`."],
  "adopt/foreign": ["The trail belongs to another account.", "Adopt it in that account."],
  "adopt/left-as-is": ["A part of the trail stays as it is, because the configuration does not say it or it would change.", "Nothing, or manage it as the finding says."],
  "adopt/no-such-trail": ["`--trail` names a trail that the account does not have.", "Correct it; the message lists those that there are."],
  "adopt/no-trail": ["The account has no trail to adopt.", "Declare the member; `pulumi up` makes its trail."],
  "adopt/organization": ["The trail is an organization's.", "Manage it with a stack of the management account."],
  "adopt/other-trail": ["The audit stack authorises another trail of the same account.", "Change the entry only if that trail delivers nothing."],
  "adopt/own-archive": ["The trail delivers within its own account, and no archive is named.", "Give the archive's contract with `--contract`."],
  "adopt/several": ["The account has several trails that could be adopted.", "Name one with `--trail`."],
  // New configurations, and roles.
  "init/exists": ["`crosstrail init` found a file that it would have to write.", "Move it away, or write to another folder."],
  "init/folder": ["The folder cannot take the configuration of a fleet.", "Give another one with `--dir`."],
  "init/option": ["An option of `crosstrail init` is not well formed.", "Correct it; the message has an example."],
  "roles/account": ["The fleet has no such account.", "Give an alias or account id of the fleet, or `hub`."],
  "roles/too-large": ["A role's permissions are larger than IAM allows.", "Declare fewer readers or members."],
  "roles/trust": ["What would say who may assume a role is not well formed.", "Correct it; patterns are refused."],
  // The report of a preview.
  "preview/access-lost": ["With the changes, something becomes impossible that should be possible.", "Find out what changes the policy; `crosstrail simulate` shows the statement."],
  "preview/access-opened": ["With the changes, something becomes possible that should not be.", "Find out what changes the policy; `crosstrail simulate` shows the statement."],
  "preview/archive-lost": ["The changes delete or replace the archive's bucket, key or event data store.", "Undo the change that does this."],
  "preview/guard-lost": ["The changes take away what guards the archive, at least for a while.", "Undo the change that does this."],
  "preview/trail-gone": ["The changes delete or replace a trail.", "Merge only if that is meant; what was recorded stays."],
  "preview/trail-weakened": ["The changes make a trail record less, or prove less.", "Merge only if that is meant."],
  // Files and AWS.
  "aws/failed": ["AWS did not answer, or with an error.", "Check names and connection."],
  "aws/region": ["Neither the environment nor its profile names a Region.", "Set `AWS_REGION`."],
  "aws/refused": ["AWS refuses the credentials.", "Use credentials of the account that the message names."],
  "file/unreadable": ["A file is not there or cannot be read.", "Correct the path."],
};
