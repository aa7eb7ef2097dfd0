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
 * The catalogue: what each finding means and what to do, in general; the finding itself says it for its case.
 * docs/findings.md is written from here (npm run docs), and a test compares it with the ids that the code writes.
 */
// prettier-ignore
export const findingIds: Record<string, [meaning: string, whatToDo: string]> = {
  // A stack's configuration.
  "config/account-id": ["An account ID is not a string of 12 digits.", "Write it in quotes, with leading zeros."],
  "config/alias": ["A member alias is malformed.", "Use lower-case letters, digits and hyphens."],
  "config/archive": ["Two controls of the archive exclude each other, or one of them is incomplete.", "Follow the message; [archive.md](archive.md) lists which controls go together."],
  "config/audit-stack": ["A member stack sets both or neither of `auditStack` and `contract`.", "Set one of them."],
  "config/bucket-name": ["S3 would reject the bucket name.", "Choose a name that follows S3's rules, which are in the message."],
  "config/break-glass": ["A break-glass role belongs to another account or partition.", "Name a role of the audit account."],
  "config/contract": ["A contract value in the configuration is missing or malformed.", "Copy the audit stack's outputs."],
  "config/duplicate-account": ["An account is declared twice, or the audit account is declared as a member.", "Keep one entry."],
  "config/duplicate-alias": ["Two accounts have the same alias.", "Give each its own alias."],
  "config/duplicate-reader": ["Two readers have the same role name.", "Give each its own name."],
  "config/import-trail": ["The trail that a member stack should adopt belongs to another account or Region, or no trail is named.", "Correct `importTrail`, or remove `leaveAsIs`."],
  "config/events": ["CloudTrail would reject these event settings: a limit is exceeded, a field does not exist in the category, or two kinds of selectors are combined.", "Follow the message; [events.md](events.md) has the limits."],
  "config/global-events": ["A multi-Region trail must record events of global services.", "Keep `includeGlobalServiceEvents` on, or make it a single-Region trail."],
  "config/key-generation": ["`previousKeyInUse` is set, but there is no previous key.", "Increase `keyGeneration` to create a new key, or remove `previousKeyInUse`."],
  "config/log-prefix": ["The log prefix is invalid.", "Choose a prefix without wildcards and without `AWSLogs/`."],
  "config/member-access": ["`memberAccess` names the audit account, where IAM policies decide who reads.", "Remove it."],
  "config/mfa": ["Roles are exempt from MFA, but MFA is not required.", "Set `requireMfa`, or remove `mfaExemptRoles`."],
  "config/missing": ["A required key is not set.", "Set it; the message shows an example."],
  "config/no-config": ["A stack file has no `config:`.", "Use a stack file, such as `Pulumi.audit.yaml`."],
  "config/no-trail": ["A log group or topic is configured, but the audit account has no trail to deliver there.", "Set `auditAccountTrail`, or remove the key."],
  "config/not-audit": ["The file belongs to another stack.", "Use the audit stack's file, which declares the fleet."],
  "config/organization": ["A value needs `crosstrail:organization`, or conflicts with it.", "Declare the organization, or correct the value as the message says."],
  "config/partition": ["A role belongs to another partition and cannot reach the archive.", "Correct it."],
  "config/region": ["The Region is not set, unknown, or in another partition.", "Correct `aws:region`; for a new Region see `crosstrail:extraRegions`."],
  "config/replica-region": ["The key cannot have a replica in this Region, or already has one.", "Remove the Region."],
  "config/replication": ["`replication` has no destination, or an invalid one.", "Choose another Region or account, and a bucket, as the message says."],
  "config/role": ["The stack's role is not set, or invalid.", "Set `crosstrail:role` to `audit`, `member` or `management`."],
  "config/secret": ["A value is encrypted; only Pulumi can read it.", "Set it again without `--secret`; Crosstrail's configuration has no secrets."],
  "config/trail-name": ["CloudTrail would reject the trail name.", "Choose a name that follows CloudTrail's rules, which are in the message."],
  "config/type": ["A value has the wrong type for its key.", "Correct it; `pulumi config set --path` helps with lists."],
  "config/unknown-key": ["The key does not exist.", "Correct the spelling, or remove it."],
  "config/unknown-member": ["An account is not in the fleet.", "Declare it in `crosstrail:members`, or remove it."],
  "config/value": ["A value is not allowed for its key.", "Correct it as the message says."],
  "config/wrong-role": ["The key belongs to stacks of another role.", "Remove it, or set it in the other stack."],
  "config/yaml": ["A stack file is not valid YAML.", "Correct it at the place the message names."],
  // Between the stacks.
  "contract/audit-account": ["A member stack names the audit account itself.", "Use the audit stack's own trail instead."],
  "contract/json": ["The file is not the output of `pulumi stack output --json`.", "Regenerate it from the audit stack."],
  "contract/missing": ["The stack's outputs are not a contract.", "Name a deployed audit stack."],
  "contract/no-organization": ["The audit stack does not authorize an organization trail.", "Add the lines in the message to the audit stack, then deploy it."],
  "contract/not-a-member": ["The audit stack does not authorize this account.", "Add the lines in the message to the audit stack, then deploy it."],
  "contract/partition": ["The member is in a different partition than the archive.", "Use an audit stack in the same partition."],
  "contract/region": ["The stack's Region is not the trail's home Region, and a trail can only be changed there.", "Set `aws:region`, or `homeRegion` in the audit stack."],
  "contract/value": ["A contract value is missing or malformed.", "Deploy the audit stack again to rewrite its outputs."],
  "contract/version": ["The two stacks were deployed with incompatible versions of Crosstrail.", "Update the side that the message names."],
  "archive/break-glass-role": ["A break-glass role does not exist, or has another ARN.", "Create it, or correct the name as the message shows."],
  "archive/irreversible": ["This change to a deployed control of the archive is not possible.", "Undo the change, as the message says."],
  "archive/locked-out": ["The deploying role is not among the break-glass roles and could not deploy again.", "Add the role in the message, or deploy with a break-glass role."],
  "archive/moved": ["The account, Region or bucket of a deployed archive was changed.", "Undo the change. For another archive, create another audit stack."],
  "archive/replica-moved": ["The bucket with the log copies would be replaced.", "Undo the change, or take the bucket out of the stack first."],
  "archive/single-region-key": ["Replicas are requested, but the deployed key is a single-Region key, which cannot be changed.", "Give the copies their own key, or migrate the trails to a new key."],
  "archive/key-generation": ["`keyGeneration` was lowered; logs encrypted with the removed key could not be read.", "Undo the change."],
  // The organization, asked by the management stack.
  "organization/all-features": ["Only consolidated billing is enabled.", "Enable all features, or set `enableAllFeatures`."],
  "organization/all-features-pending": ["Invited accounts must agree to all features.", "Wait for them, confirm the handshake, then rerun."],
  "organization/delegated-administrator": ["Only the management account can register delegated administrators.", "Set the key in its stack."],
  "organization/delegated-conversion": ["A delegated administrator cannot convert between account trails and organization trails.", "Do it in the management account."],
  "organization/home-region": ["A trail of this name has another home Region.", "Use that Region, or another name."],
  "organization/id": ["The account is not in the organization that the audit stack declares.", "Correct the ID, or use other credentials."],
  "organization/left": ["A declared member is not, or no longer, in the organization.", "Give it `inOrganization: false`, or remove it."],
  "organization/management-account": ["The organization's management account is not the one that the audit stack declares.", "Correct it in the audit stack."],
  "organization/member-account": ["The stack's account is neither the management account nor a delegated administrator.", "Use the management account, or register this account."],
  "organization/name-taken": ["A trail of this name exists, but this stack did not create it.", "Import it, or choose another name."],
  "organization/not-in-use": ["The account is not in an organization.", "Use the management account, or a member stack."],
  "organization/second-trail": ["Another organization trail exists; AWS bills the second copy of management events.", "Remove one, or accept the second trail."],
  "organization/service-linked-role": ["CloudTrail's service-linked role is missing.", "Create it, or set `enableTrustedAccess`."],
  "organization/trusted-access": ["Trusted access for CloudTrail is not enabled.", "Enable it, or set `enableTrustedAccess`."],
  // crosstrail migrate.
  "migrate/audit-stack": ["The folder has no audit stack, or more than one.", "Run the command in the project folder."],
  "migrate/management-account": ["The named stack does not belong to the organization's management account.", "Name the management account's stack."],
  "migrate/not-in-place": ["A step would replace or remove a trail, key or bucket.", "Find out why with a preview, then resume or abandon."],
  "migrate/nothing-to-do": ["The fleet is already in this state.", "Nothing to do; or choose another target."],
  "migrate/no-organization-trail": ["The named stack has no organization trail.", "Name the management stack."],
  "migrate/organization": ["No organization is declared.", "Give its ID."],
  "migrate/prefix": ["No prefix was given.", "Add `--prefix`."],
  "migrate/pulumi": ["Pulumi failed; the message includes its output.", "Fix the problem, then resume."],
  "migrate/stack": ["It is unclear which stacks to use.", "Name them with `--stack`."],
  "stack/no-audit-stack": ["The audit stack's outputs could not be read.", "Correct `crosstrail:auditStack`, or deploy the audit stack first."],
  "stack/no-credentials": ["AWS did not identify the credentials.", "Log in again, or correct the stack's provider settings."],
  "stack/wrong-account": ["The credentials belong to another account.", "Use credentials for the account in the message."],
  "trail/replaced": ["A deployed trail would be replaced, and events in between would be lost.", "Rename it with `previousTrailName`, as the message shows."],
  "trail/not-imported": ["The trail to adopt is not the one that the audit stack authorizes.", "Change the member's `trailName` and `homeRegion` in the audit stack, and deploy it."],
  "store/protected": ["A deployed event data store was removed from the configuration while it is protected.", "Undo the change, or set `keep: false` first, as the message shows."],
  "store/renamed": ["The name of a deployed event data store changed, so it would be replaced.", "Restore the name."],
  "events/excluded-source": ["A trail excludes the management events of a service.", "Remove the exclusion, unless another trail of the account records them."],
  "events/no-management": ["A trail records no management events.", "Add `management` to `crosstrail:events`, unless another trail of the account records them."],
  "events/reads-only": ["A trail records no management events that write.", "Set `crosstrail:readWriteType` to `All`, unless another trail of the account records them."],
  "events/recursive": ["A trail records data events of the archive bucket that it delivers to.", "Exclude the archive bucket from the selector, as the message shows."],
  "events/writes-only": ["A trail records no management events that only read.", "Set `crosstrail:readWriteType` to `All`, unless another trail of the account records them."],
  "component/events": ["CloudTrail would reject a component's event settings.", "Correct the argument as the message says."],
  "component/archive": ["Arguments of AuditBucket exclude each other.", "Correct them as the message says."],
  "component/input": ["A component argument is invalid.", "Correct it as the message says."],
  "component/organization": ["Organization trails or accounts are given without the organization's ID.", "Give `organizationId` as well."],
  "component/partition": ["A trail is in a different partition than the archive.", "Set the component's `partition`, or remove the trail."],
  "component/trails": ["The trails for a log group or topic are empty, or not from one account and Region.", "Name one trail, or two while it is being renamed."],
  "reader/nobody": ["A reader's list of accounts is empty.", "Name an account, or remove the reader."],
  "reader/too-large": ["A reader's policy exceeds IAM's size limit.", "Split the accounts across several readers."],
  // The fleet as a whole.
  "config/member-defaults": ["A member default is not a member-stack key, or has an invalid value.", "Correct or remove it."],
  "fleet/mass-removal": ["The run would remove every member, more than half of them, or the organization trail.", "Check for a misspelt key; if it is meant, say so with `--remove-members`."],
  "fleet/account": ["A member's stack file and the audit stack name different accounts.", "Correct one of the two."],
  "fleet/alias-renamed": ["The alias of a deployed trail changed, and so did the name of its stack.", "Rename the stack as the message shows."],
  "fleet/role": ["A stack file and the fleet's declaration name different roles.", "Give the member or the organization another alias, or correct the file."],
  "fleet/stack-name": ["Two stacks of the fleet have the same name.", "Give the member or the organization another alias."],
  "fleet/trail-name": ["A member in the organization would get a trail with the organization trail's name.", "Remove the entry, or give its trail another name."],
  "fleet/unknown-stack": ["`--only` names a stack that is not in the fleet.", "Use the alias of a declared member, or the audit stack's name."],
  "archive/in-use": ["The audit stack would be destroyed while trails still deliver.", "Destroy the whole fleet, or the trails first."],
  "archive/not-protected": ["The audit stack would be destroyed, and its archive is not protected.", "Protect it again, or name the bucket with `--delete-archive`."],
  "aws/throttled": ["AWS is throttling the calls.", "Rerun the command later, with a smaller `--parallel`."],
  "archive/not-asked": ["The audit stack would take away what a trail may still need, and AWS could not be asked whether it does.", "Make the account accessible; if the trail or the account is gone, say so as the message shows."],
  "archive/not-read": ["The archive's policies could not be read, so it is not known whether trails deliver.", "Make the audit account accessible, then `crosstrail status`."],
  "archive/still-needed": ["A trail still delivers in a way that the new policies would refuse: its logs would be lost.", "Move the trail first, or keep what it needs; the message says how."],
  "backend/no-answer": ["The backend did not answer in time.", "Check that you can reach it."],
  "backend/not-logged-in": ["Pulumi is not logged in to a backend.", "Set `PULUMI_BACKEND_URL`, or run `pulumi login`."],
  "backend/refused": ["The backend does not exist, or refused the request.", "Check `PULUMI_BACKEND_URL` and its credentials."],
  "stack/cancelled": ["The operation on the stack was interrupted.", "Rerun the command; it first looks up what was in progress."],
  "stack/failed": ["The Pulumi engine reported an error that Crosstrail does not recognize.", "Fix the cause given in the message."],
  "plugin/missing": ["A Pulumi plugin is not installed and could not be downloaded.", "Run `pulumi install` with access to `get.pulumi.com`."],
  "stack/locked": ["Another process holds the stack's lock.", "Wait for it to finish. If that process no longer exists, run `pulumi cancel`."],
  "stack/missing": ["The stack does not exist in the backend.", "Check which backend Pulumi is logged in to."],
  "stack/not-deployed": ["The stack is declared but not deployed.", "Run `crosstrail up` for it."],
  "stack/pending": ["An interrupted run started to create a resource, and it is unknown whether AWS did.", "Look in AWS, then run `pulumi refresh`."],
  "stack/skipped": ["The stack was skipped because another stack must succeed first.", "Fix that stack, then rerun the command."],
  "stack/timed-out": ["The operation on the stack hit its time limit.", "Rerun the command, with a longer `--timeout` if needed."],
  "stack/worker-died": ["The stack's worker process exited before it finished.", "Rerun the command."],
  "credentials/expired": ["The credentials have expired.", "Log in again, then rerun the command."],
  "credentials/refused": ["AWS or the provider refused the credentials.", "Set `deployRole` or `deployProfile`, or log in."],
  "credentials/role-not-assumed": ["A role could not be assumed.", "Check that it exists and that its trust policy names you."],
  "secrets/passphrase": ["Pulumi cannot use the stack's secrets.", "Set the passphrase, the same for all stacks of the fleet."],
  "pulumi/missing": ["The Pulumi CLI was not found.", "Install it."],
  "pulumi/too-old": ["The Pulumi CLI is too old.", "Install a newer version."],
  "trail/archive-refuses": ["CloudTrail reports that the bucket or key policy does not let the trail deliver.", "Deploy the audit stack, then the member."],
  "trail/changed": ["A trail's option is not as configured.", "Run `pulumi refresh` and `crosstrail up` for the stack."],
  "trail/cut-off": ["The deployed policies refuse a trail as AWS has it: its logs are being lost.", "Bring up its stack as soon as possible; `crosstrail simulate --deployed` shows the statement."],
  "trail/delivery": ["A trail's bucket, prefix or key is not the one that the contract says.", "Run `crosstrail up --refresh` for its stack."],
  "trail/not-asked": ["Whether a trail still delivers is not known: AWS could not be asked.", "Run `crosstrail status` once the account can be accessed."],
  "trail/undecided": ["Whether a trail's logs arrive could not be decided: its key is not one of the archive's.", "Run `crosstrail up --refresh` for its stack."],
  "trail/logging": ["A trail is logging but configured not to.", "Run `crosstrail up` for the stack."],
  "trail/missing": ["The account does not have this trail.", "Run `crosstrail up` for the stack."],
  "trail/not-logging": ["A trail is not logging.", "Run `crosstrail up` for the stack."],
  "trail/selectors": ["A trail does not record what it is configured to.", "Find out who changed it, then refresh and deploy the stack."],
  // Policies that nobody can decide by.
  "policy/action": ["An action is malformed, or the list of actions is empty.", 'Write it like `s3:PutObject`, or `"*"`.'],
  "policy/action-missing": ["A statement has no action.", "Add `Action` or `NotAction`."],
  "policy/condition": ["The condition block is not an object of operators and keys.", "Correct its structure."],
  "policy/condition-key": ["A condition key is malformed.", "Write it like `aws:SourceArn`."],
  "policy/condition-value": ["A condition value does not have the operator's type.", "Correct the value, or use another operator."],
  "policy/document": ["The policy is not a JSON object.", "Provide the whole document."],
  "policy/duplicate-key": ["An object has the same key twice; only one of them would count.", "Merge them."],
  "policy/effect": ["The effect is neither `Allow` nor `Deny`.", "Correct it; letter case matters."],
  "policy/element": ["The element does not exist in IAM, or conflicts with another element.", "Correct or remove it."],
  "policy/form": ["The requested form needs an organization, and none is declared.", "Declare the organization, or use `auto`."],
  "policy/json": ["The policy is not JSON.", "Correct it at the place the message names."],
  "policy/kind": ["A policy was compiled for a different kind of policy than it is used for.", "Compile it for the right kind."],
  "policy/not-principal": ["A role's trust policy has `NotPrincipal`.", "Name who may assume the role."],
  "policy/operator": ["The condition operator does not exist.", "Correct it; letter case matters."],
  "policy/principal": ["A principal is malformed.", "Name an account, user, role or service, or `*`."],
  "policy/principal-account": ["A principal's account does not have 12 digits.", "Write all 12 digits, including leading zeros."],
  "policy/principal-in-identity": ["An identity policy or a service control policy names a principal.", "Remove it."],
  "policy/principal-missing": ["A statement of a resource policy has no principal.", "Add a `Principal`."],
  "policy/rcp": ["A resource control policy contains an element that AWS Organizations refuses.", "Deny only, with `\"Principal\": \"*\"`, `Action` and conditions."],
  "policy/request": ["A request put to the evaluator is incomplete.", "Correct the request."],
  "policy/resource": ["A resource is malformed, or the list of resources is empty.", 'Write a whole ARN, or `"*"`.'],
  "policy/resource-missing": ["A statement has no resource.", "Add `Resource` or `NotResource`."],
  "policy/sid": ["A Sid is not a string, or has characters that IAM rejects.", "Use letters and digits."],
  "policy/statement": ["The policy has no statements, or a statement is not an object.", "Correct the list of statements."],
  "policy/variable": ["A policy variable is malformed.", "Correct it, or write `${$}` for the character itself."],
  "policy/version": ["The policy's version is unknown.", "Use `2012-10-17`."],
  // Policies that probably do not do what they were meant to.
  "policy/alias-via-ec2": [
    "A statement lets the console's former setup page create an alias.",
    "Remove it where a program manages the alias.",
  ],
  "policy/arn-pattern": ["A pattern is not an ARN of six parts, so it matches nothing.", "Write all six parts, with a wildcard for each unknown part."],
  "policy/condition-both": ["A Boolean condition lists both values, so it is always true.", "Keep one."],
  "policy/condition-empty": ["A condition compares nothing.", "Fill it in, or remove it."],
  "policy/confused-deputy": ["A service can act on behalf of any account.", "Add `aws:SourceArn` with the trails' ARNs."],
  "policy/cross-account-own": ["A cross-account statement names only the key's own account.", "Name the other accounts."],
  "policy/for-all-values-allow": ["`ForAllValues` in an `Allow` also matches requests without the key.", "Require the key with `Null`."],
  "policy/mfa-deny-incomplete": ["A `Deny` for requests without MFA does not match requests that lack the MFA key.", "Use `BoolIfExists`."],
  "policy/mfa-not-required": ["`IfExists` in an `Allow` does not require MFA.", "Use `Bool`, or a `Deny` with `BoolIfExists`."],
  "policy/no-effect": ["KMS accepts the statement, but it has no effect.", "Add what is missing."],
  "policy/not-principal-allow": ["`Allow` with `NotPrincipal` allows everyone else in the world.", "Name the principals."],
  "policy/principal-canonical": ["A canonical user ID does not show which account it belongs to.", "Name the account."],
  "policy/principal-deleted": ["A principal is the ID of a deleted user or role.", "Remove it, or name the replacement."],
  "policy/sid-duplicate": ["Two statements have the same Sid.", "Give each its own Sid."],
  "policy/statement-duplicate": ["Two statements are equivalent.", "Remove one, or correct it."],
  "policy/variable-version": ["A policy variable is ordinary text in this policy version.", 'Set `"Version": "2012-10-17"` after checking the other statements.'],
  "policy/wildcard-in-equals": ["This operator does not treat wildcards as wildcards.", "Use `StringLike` or `ArnLike`."],
  "policy/wildcard-principal": ["A statement allows everyone in the world.", "Name the principals, or add a condition that limits who they are."],
  // Policies that are written or merged.
  "policy/denial-left-out": ["`crosstrail policy` did not add a Deny statement, which would apply to everything in the bucket.", "Add it with `--denials` if it suits the bucket's other uses."],
  "policy/key-arn": ["The key cannot encrypt the bucket's logs, or its ARN is malformed.", "Give the ARN of a key in the bucket's Region."],
  "policy/key-locked": ["No one could change the key policy any more; KMS rejects such a policy.", "Keep the statement that lets the key's account administer it."],
  "policy/left-over": ["This fleet does not need one of Crosstrail's statements.", "Remove it with `--without` if it is from an earlier run."],
  "policy/lets-through": ["A current statement allows something that Crosstrail's statements alone would not.", "Ask its owner to restrict it to those who need it."],
  "policy/no-room": ["The statements do not fit into the policy with the current ones.", "Make room, use a shorter form, or use a second archive."],
  "policy/no-such-sid": ["`--without` names a Sid that is not in the current policy.", "Correct it; the message lists the available names."],
  "policy/no-trail": ["The fleet has no trails, so there is nothing to add.", "Declare the members."],
  "policy/prevents": ["A current statement prevents the audit account from reading logs.", "Ask its owner to exempt those who read them."],
  "policy/sid-collision": ["The current policy has another statement of the same Sid.", "Remove it with `--without` if it is Crosstrail's own; otherwise rename it."],
  "policy/stops-delivery": ["A current statement prevents trails of the fleet from delivering.", "Ask the statement's owner to exempt CloudTrail."],
  "policy/too-large": ["A policy is larger than AWS allows.", "Use a shorter form or a second archive; the message says which forms fit."],
  // MFA Delete.
  "mfa/drift": ["MFA Delete on the log bucket is not as expected.", "Run the command in the message as the root user."],
  "mfa/lifecycle": ["The bucket has lifecycle rules, which S3 does not allow together with MFA Delete.", "Remove the rules."],
  "mfa/no-mfa-device": ["The root user has no MFA device.", "Assign one that shows codes."],
  "mfa/no-root-credentials": ["The root user has neither a password nor access keys.", "Allow password recovery until MFA Delete is switched."],
  "mfa/root-access-keys": ["The root user has access keys.", "Delete the keys."],
  "mfa/versioning": ["Bucket versioning is not enabled.", "Enable it; the command for MFA Delete does both."],
  // Simulation.
  "case/malformed": ["A case of your own is not well formed.", "Correct it; [cli.md](cli.md) shows what a case looks like."],
  "case/none": ["A folder of cases has no `.json` file.", "Correct the path."],
  "simulate/case-failed": ["The answer to a case of your own is not the expected one.", "Correct the policy, or the case."],
  "simulate/failed": ["A policy allows what it must not, or refuses what must be possible.", "Deploy the policies that Crosstrail builds; find out who changed them."],
  "simulate/undecided": ["The answer depends on what is not known.", "Give its value, as the message says, or change the statement so that it does not depend on it."],
  "simulate/not-tied": ["Something is possible that the policy's form cannot prevent.", "Demand a tighter form, if it fits."],
  // Adopting what is there already.
  "adopt/audit-account": ["A member stack cannot adopt the audit account's own trail.", "Let the audit stack create its own trail, or keep this one next to it."],
  "adopt/cloudformation": ["The trail belongs to a CloudFormation stack.", "First remove it from that stack while retaining the trail."],
  "adopt/control-tower": ["The trail belongs to AWS Control Tower.", "Let Control Tower manage it."],
  "adopt/file": ["The stack file cannot be written, or already exists.", "Choose another `--alias` or `--out`."],
  "adopt/foreign": ["The trail belongs to another account.", "Adopt it in that account."],
  "adopt/left-as-is": ["A part of the trail stays unmanaged, because the configuration cannot express it or would change it.", "Nothing to do, or manage it as the message says."],
  "adopt/no-such-trail": ["`--trail` names a trail that is not in the account.", "Correct it; the message lists the available names."],
  "adopt/no-trail": ["The account has no trail to adopt.", "Declare the member; `pulumi up` creates its trail."],
  "adopt/organization": ["The trail is an organization trail.", "Manage it with a stack of the management account."],
  "adopt/other-trail": ["The audit stack authorizes another trail of the same account.", "Change the entry only if that trail delivers nothing."],
  "adopt/own-archive": ["The trail delivers within its own account, and no archive was given.", "Provide the archive's contract with `--contract`."],
  "adopt/several": ["The account has several trails that could be adopted.", "Name one with `--trail`."],
  // New configurations, and roles.
  "init/exists": ["`crosstrail init` would overwrite an existing file.", "Move the file, or choose another folder."],
  "init/folder": ["The folder is not suitable for the configuration of a fleet.", "Choose another folder with `--cwd`."],
  "init/option": ["An option of `crosstrail init` is malformed.", "Correct it; the message has an example."],
  "roles/account": ["The account is not in the fleet.", "Use an alias or account ID of the fleet, or `hub`."],
  "roles/too-large": ["A role's permissions are larger than IAM allows.", "Declare fewer readers or members."],
  "roles/trust": ["The subject, role or external ID for a trust policy is malformed.", "Correct it; patterns are not allowed."],
  // The report of a preview.
  "preview/access-lost": ["The changes would refuse an action that should be possible.", "Find out what changes the policy; `crosstrail simulate` shows the statement."],
  "preview/access-opened": ["The changes would allow an action that should not be possible.", "Find out what changes the policy; `crosstrail simulate` shows the statement."],
  "preview/archive-lost": ["The changes would delete or replace the archive's bucket, key or event data store.", "Undo the change that does this."],
  "preview/guard-lost": ["The changes would leave the archive unguarded, at least for a while.", "Undo the change that does this."],
  "preview/trail-gone": ["The changes would delete or replace a trail.", "Merge only if you intend this; recorded logs stay."],
  "preview/trail-weakened": ["The changes would make a trail record less, or prove less.", "Merge only if you intend this."],
  // Files and AWS.
  "aws/failed": ["AWS did not answer, or returned an error.", "Check the names and the connection."],
  "aws/region": ["Neither the environment nor its profile names a Region.", "Set `AWS_REGION`."],
  "aws/refused": ["AWS refused the credentials.", "Use credentials for the account in the message."],
  "file/unreadable": ["A file does not exist or could not be read.", "Correct the path."],
};
