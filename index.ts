/** Crosstrail as a Pulumi program: what a stack is, its configuration says (see Pulumi.yaml and README.md). */
import { run } from "./programs";

export = run;
