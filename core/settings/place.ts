/** Where a stack is: its Region, and the partition that the Region belongs to. */
import type { Partition } from "../accounts";
import { partitionOf, partitions, regionProblem } from "../accounts";
import { sentence } from "../issues";
import type { Report } from "./report";
import { subjectText } from "./report";

/** A stack's place; undefined what is not known, and was reported. */
export interface Place {
  region: string | undefined;
  partition: Partition | undefined;
  /** Regions that this version of Crosstrail does not know. */
  extraRegions: string[];
}

/** Reports a Region that is not set or that no partition has. */
export function readPlace(report: Report, region: string | undefined, extraRegions: string[] = []): Place {
  const partition = region === undefined ? undefined : partitionOf(region);
  const place = { region, partition, extraRegions };
  if (region === undefined) {
    report.add(
      "region",
      "aws:region is not set",
      "The stack needs a Region: trail ARNs and policies contain it.",
      `pulumi config set --stack ${report.stack} aws:region <region>`,
    );
  } else if (!partition) {
    const message = `${region} is not a Region in the partitions ${partitions.join(", ")}`;
    report.add("region", subjectText("aws:region", region), sentence(message), remedy(report));
  } else checkRegion(report, place, subjectText("aws:region", region), region);
  return place;
}

/** Reports a Region that is not one of the stack's partition. */
export function checkRegion(report: Report, place: Place, subject: string, region: string): void {
  const problem = place.partition && regionProblem(region, place.partition, place.extraRegions);
  if (problem) report.add("region", subject, sentence(problem), remedy(report));
}

function remedy({ file }: Report): string {
  return `Correct it in ${file}. If AWS opened the Region after this version of Crosstrail was released, add it to crosstrail:extraRegions.`;
}
