/** The variables that decide how a stack's program and its provider work. */

/**
 * Credentials, which change with every session and decide only whether AWS lets somebody in: programs refuse those of another
 * account. And what only the AWS CLI and the SDKs' waiting read.
 */
const leftOut =
  /^AWS_(ACCESS_KEY|ACCESS_KEY_ID|SECRET_ACCESS_KEY|SECRET_KEY|SESSION_TOKEN|SECURITY_TOKEN|CREDENTIAL_.*|SESSION_EXPIRATION|WEB_IDENTITY_TOKEN_FILE|ROLE_SESSION_NAME|CONTAINER_.*|EXECUTION_ENV|SDK_.*|NODEJS_.*|PAGER|CLI_.*|VAULT.*|SSO_.*|MAX_ATTEMPTS|RETRY_MODE|EC2_METADATA_.*|METADATA_.*)$/;

/** Of all others, every variable of AWS's, the provider's and the engine's experiments: what is not known here may matter. */
const kept = /^(AWS_|TF_|PULUMI_(EXPERIMENTAL|AWS|ENABLE_|DISABLE_DEFAULT|DISABLE_PROVIDER|TEST_|NODEJS_))/;

export function relevantEnvironment(env: NodeJS.ProcessEnv): Record<string, string> {
  const entries = Object.entries(env).filter(
    (entry): entry is [string, string] =>
      entry[1] !== undefined && entry[1] !== "" && kept.test(entry[0]) && !leftOut.test(entry[0]),
  );
  return Object.fromEntries(entries);
}
