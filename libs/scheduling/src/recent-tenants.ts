/** Whose work was heard of last, of two tenants: enough to say of each one whether there are others. */
export class RecentTenants {
  #last: Heard | undefined;
  /** The last one of another tenant than `#last`. */
  #other: Heard | undefined;

  /** @param at when something of the tenant was to be done, in milliseconds since 1970; not in order, as shards are read side by side */
  note(tenant: string, at: number): void {
    if (this.#last?.tenant === tenant) this.#last.at = Math.max(this.#last.at, at);
    else if (this.#last === undefined || at >= this.#last.at) {
      this.#other = this.#last;
      this.#last = { tenant, at };
    } else if (this.#other === undefined || at >= this.#other.at) this.#other = { tenant, at };
  }

  /** Whether anything of a tenant other than this one was heard of since then. */
  anyBut(tenant: string, since: number): boolean {
    const other = this.#last?.tenant === tenant ? this.#other : this.#last;
    return other !== undefined && other.at >= since;
  }
}

interface Heard {
  tenant: string;
  at: number;
}
