/**
 * Counts failures of each component of the network (claim 17): at a predetermined count the component is identified as
 * failed and taken out of use; later it is tried again, at growing intervals, and put back when it works. A suspicion
 * is not counted but settled by a probe.
 */

export interface FailureLimits {
  readonly outOfUseAfter: number;
  readonly memoryNanoseconds: number;
  readonly retryNanoseconds: number;
  readonly retryMaximumNanoseconds: number;
}

export interface Component {
  readonly name: string;
  count: number;
  lastFailureNanoseconds: number;
  outOfUse: boolean;
  reason: string;
  /** When it is tried again, if it is out of use. */
  retryAtNanoseconds: number;
  retryIntervalNanoseconds: number;
}

export class ComponentFailures {
  readonly #limits: FailureLimits;
  readonly #components = new Map<string, Component>();

  constructor(limits: FailureLimits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#components.size;
  }

  get(name: string): Component | undefined {
    return this.#components.get(name);
  }

  all(): IterableIterator<Component> {
    return this.#components.values();
  }

  /** Takes a count over from the store. */
  restore(name: string, count: number, outOfUse: boolean, reason: string, now: number): void {
    const retryIntervalNanoseconds = this.#limits.retryNanoseconds;
    this.#components.set(name, {
      name,
      count,
      outOfUse,
      reason,
      retryIntervalNanoseconds,
      lastFailureNanoseconds: now,
      retryAtNanoseconds: now + retryIntervalNanoseconds,
    });
  }

  /** Counts a failure. @returns the component, and whether it went out of use by this */
  count(name: string, reason: string, now: number): { component: Component; wentOut: boolean } {
    let component = this.#components.get(name);
    if (component === undefined) {
      this.restore(name, 0, false, reason, now);
      component = this.#components.get(name) as Component;
    }
    if (!component.outOfUse && now - component.lastFailureNanoseconds > this.#limits.memoryNanoseconds) {
      component.count = 0;
    }
    component.count += 1;
    component.lastFailureNanoseconds = now;
    component.reason = reason;
    const wentOut = !component.outOfUse && component.count >= this.#limits.outOfUseAfter;
    if (wentOut) {
      component.outOfUse = true;
      component.retryIntervalNanoseconds = this.#limits.retryNanoseconds;
      component.retryAtNanoseconds = now + component.retryIntervalNanoseconds;
    }
    return { component, wentOut };
  }

  /** It was tried and failed again: the next try comes after twice the time. */
  retryFailed(component: Component, now: number): void {
    const doubled = component.retryIntervalNanoseconds * 2;
    component.retryIntervalNanoseconds = Math.min(doubled, this.#limits.retryMaximumNanoseconds);
    component.retryAtNanoseconds = now + component.retryIntervalNanoseconds;
  }

  /** It works (again): back in use, nothing counted. */
  putBack(name: string): void {
    this.#components.delete(name);
  }

  /** Components whose next try is due. */
  *due(now: number): Generator<Component> {
    for (const component of this.#components.values()) {
      if (component.outOfUse && component.retryAtNanoseconds <= now) yield component;
    }
  }
}
