/** The plan: in which order the fleet's stacks are brought up, previewed and destroyed, and what each one waits for. */
import type { Fleet, FleetStack } from "./stacks";

export const Action = { Up: "up", Preview: "preview", Destroy: "destroy", Status: "status" } as const;
export type Action = (typeof Action)[keyof typeof Action];

/** One stack's turn. */
export interface Step {
  stack: FleetStack;
  action: Action;
  /** A preview of what `destroy` would do. */
  destroys?: boolean;
  /** The stacks whose turn must be over. */
  after: string[];
  /** Those of them that must have succeeded. */
  needs: string[];
  /** It also continues when the stack that it needs was skipped: nothing has changed for it then. */
  orUntouched?: boolean;
}

/**
 * Brings the fleet up: the audit stack authorizes a trail before it is made, and continues authorizing it until it is gone.
 * What is removed therefore comes first, then the audit stack, the management account, and all members at the same time.
 */
export function planUp(fleet: Fleet): Step[] {
  const { audit, management, members, removed } = fleet;
  const gone = names(removed);
  const first = [audit, ...(management ? [management] : [])];
  return [
    ...removed.map((stack) => ({ stack, action: Action.Destroy, after: [], needs: [] })),
    { stack: audit, action: Action.Up, after: gone, needs: gone },
    ...(management
      ? [
          {
            stack: management,
            action: Action.Up,
            after: [audit.name],
            needs: [audit.name],
            orUntouched: management.authorised === true,
          },
        ]
      : []),
    ...members.map((stack) => ({
      stack,
      action: Action.Up,
      after: names(first),
      needs: [audit.name],
      orUntouched: stack.authorised === true,
    })),
  ];
}

/** Shows what `up` would do. Nothing changes, so nothing has to wait. */
export function planPreview(fleet: Fleet): Step[] {
  return planUp(fleet).map(({ stack, action }) => ({
    stack,
    action: Action.Preview,
    ...(action === Action.Destroy && { destroys: true }),
    after: [],
    needs: [],
  }));
}

/** Removes the fleet: every trail, then, when none delivers any more, what the audit stack has. */
export function planDestroy(fleet: Fleet): Step[] {
  const { audit, management, members, removed } = fleet;
  const trails = [...removed, ...members, ...(management ? [management] : [])];
  return [
    ...trails.map((stack) => ({ stack, action: Action.Destroy, after: [], needs: [] })),
    { stack: audit, action: Action.Destroy, after: names(trails), needs: names(trails) },
  ];
}

export function planStatus({ audit, management, members, removed }: Fleet): Step[] {
  return [audit, ...(management ? [management] : []), ...members, ...removed].map((stack) => ({
    stack,
    action: Action.Status,
    after: [],
    needs: [],
  }));
}

/** The steps of some stacks only. What the others would have had to do first is taken as done. */
export function only(steps: Step[], wanted: ReadonlySet<string>): Step[] {
  const stays = (name: string) => wanted.has(name);
  return steps
    .filter(({ stack }) => stays(stack.name))
    .map((step) => ({ ...step, after: step.after.filter(stays), needs: step.needs.filter(stays) }));
}

function names(stacks: FleetStack[]): string[] {
  return stacks.map(({ name }) => name);
}
