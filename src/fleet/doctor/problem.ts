/** Something that keeps Basekeeper from working as it could, with what is done about it. */
export interface Problem {
  readonly kind:
    | 'PodHolds'
    | 'GateClosed'
    | 'PassFailed'
    | 'SourceOff'
    | 'AgentMissing'
    | 'AgentNotRunning'
    | 'AgentNotReady'
    | 'AgentSilent'
    | 'AgentOld'
    | 'AgentsDiffer'
    | 'NovaCleans'
    | 'PolicyMissing'
    | 'PolicyNotInForce'
    | 'RightMissing'
    | 'ReportMissing';
  readonly nodes: readonly string[];
  readonly message: string;
  /** YAML for the chart's values, where that is the remedy. */
  readonly values?: object | undefined;
}

/** What is wrong, and what could not be seen. */
export interface Diagnosis {
  readonly problems: readonly Problem[];
  /** Neither wrong nor right: each with the command that shows it. */
  readonly unknown: readonly string[];
}
