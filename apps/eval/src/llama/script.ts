/** What a scripted model says, and when. */

export interface ScriptedTurn {
  when: {
    /** A tool of this name is offered; '' where none is. */
    tool?: string;
    /** This text stands in one of the messages. */
    says?: string;
    /** So many tool results stand in the conversation. */
    results?: number;
  };
  /**
   * What the model says, most wanted first: text as it is written, pieces that follow each other as a list. A later one that begins as an
   * earlier one is how the model goes on where it may not end.
   */
  say: readonly (string | readonly string[])[];
}

export interface Script {
  /** The first that fits counts. */
  turns: readonly ScriptedTurn[];
  /** The template opens the model's thoughts by itself, so that replies hold the closing tag only. */
  opensThoughts?: boolean;
  /** Longest conversation in tokens; each letter is one. */
  window?: number;
}
