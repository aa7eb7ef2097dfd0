/**
 * What AWS takes for tags, so that it refuses none half-way and silently ignores none.
 * Sources: https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html,
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_Tag.html and
 * https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_AddTags.html
 */

/** Tags a resource can have. Tags that AWS itself sets do not count. */
export const mostTags = 50;
/** Crosstrail's own tag of the keys: which stack and which generation of the key it is. */
export const stackTag = "crosstrail:stack";

/** Something wrong with tags: the tag's key where it is about one. No capital in front, no period behind. */
export interface TagProblem {
  key?: string;
  message: string;
}

/**
 * Everything that is wrong with the tags of a resource.
 * @param own how many tags Crosstrail adds to one of the resources.
 */
export function tagProblems(tags: Record<string, string>, own = 0): TagProblem[] {
  const found = Object.entries(tags).flatMap(([key, value]): TagProblem[] => {
    const isOwn = own > 0 && key === stackTag;
    const message = isOwn ? "Crosstrail itself sets this tag" : (tagKeyProblem(key) ?? tagValueProblem(value));
    return message === undefined ? [] : [{ key, message }];
  });
  const count = Object.keys(tags).length;
  if (count > mostTags - own) {
    const why = own > 0 ? `, and Crosstrail adds ${own} of its own` : "";
    found.push({ message: `a resource has at most ${mostTags} tags${why}; these are ${count}` });
  }
  return found;
}

/** Keys that differ in letter case only: IAM takes them for the same one, and refuses both. */
export function tagCaseProblems(tags: Record<string, string>): TagProblem[] {
  const seen = new Map<string, string>();
  return Object.keys(tags).flatMap((key): TagProblem[] => {
    const first = seen.get(key.toLowerCase());
    seen.set(key.toLowerCase(), first ?? key);
    return first === undefined
      ? []
      : [{ key, message: `IAM ignores letter case in the keys of a role's tags, and there is ${first} already` }];
  });
}

/** Says what is wrong with tags, or nothing. */
export function tagsProblem(tags: Record<string, string>): string | undefined {
  const [first] = tagProblems(tags);
  return first && (first.key === undefined ? first.message : `tag ${JSON.stringify(first.key)}: ${first.message}`);
}

/** The same for what has an IAM role. */
export function roleTagsProblem(tags: Record<string, string>): string | undefined {
  const [first] = tagCaseProblems(tags);
  return tagsProblem(tags) ?? (first && `tag ${JSON.stringify(first.key)}: ${first.message}`);
}

function tagKeyProblem(key: string): string | undefined {
  // The length is counted in characters, not in what JavaScript stores them as.
  const length = [...key].length;
  if (length < 1 || length > 128) return `a tag's key has 1 to 128 characters, this has ${length}`;
  if (/^\s*aws:/i.test(key)) {
    return "keys that start with aws:, in any letter case, are AWS's own: nobody else can set them, and each preview would show a change";
  }
  return characters(key, "a tag's key");
}

function tagValueProblem(value: string): string | undefined {
  const length = [...value].length;
  if (length > 256) return `a tag's value has at most 256 characters, this has ${length}`;
  return value === "" ? undefined : characters(value, "a tag's value");
}

function characters(text: string, what: string): string | undefined {
  return /^[\p{L}\p{Zs}\p{N}_.:/=+\-@]+$/u.test(text)
    ? undefined
    : `${what} has letters, digits, spaces and _ . : / = + - @ only`;
}
