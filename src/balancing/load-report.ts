/**
 * Reads what an endpoint reports of its load in the response field `endpoint-load-metrics`: the native forms of ORCA's header,
 * `TEXT cpu_utilization=0.3, rps_fractional=12` and `JSON {"cpu_utilization": 0.3}` (Open Request Cost Aggregation, xds.data.orca.v3).
 */

/** Name of the field, in lower case. */
export const REPORT_FIELD = 'endpoint-load-metrics';

/** Longest value that is read. The engine hands over no more (native/src/frontend/endpoint_facts.h). */
export const REPORT_CHARACTERS = 4 * 1024;

/** What of a report weighs: one record, filled in for one report after the other. */
export class LoadReport {
  /** Share of the endpoint's capacity in use, >= 0: as the application sees it, else of its CPU; 0: not said. */
  utilization = 0;
  /** Requests a second, >= 0; 0: not said. */
  rate = 0;
  /** Errors a second, >= 0. */
  errorRate = 0;

  #application = NOT_SAID;
  #cpu = NOT_SAID;
  #rate = NOT_SAID;
  #errorRate = NOT_SAID;

  /**
   * Reads a report; each of its metrics may stand there once, and those that nobody weighs are passed over. Pure but for this record.
   * HOT for endpoints that report with each response.
   *
   * @param text of the field
   * @returns false: it is malformed, too long, in the binary form, or says nothing that weighs; the record means nothing then
   */
  read(text: string): boolean {
    if (text.length > REPORT_CHARACTERS) return false;
    this.#application = this.#cpu = this.#rate = this.#errorRate = NOT_SAID;
    const form = text.slice(0, FORM_CHARACTERS);
    if (form === 'TEXT ') {
      if (!this.#readText(text)) return false;
    } else if (form !== 'JSON ' || !this.#readJson(text)) {
      return false;
    }
    this.utilization = this.#application > 0 ? this.#application : Math.max(this.#cpu, 0);
    this.rate = Math.max(this.#rate, 0);
    this.errorRate = Math.max(this.#errorRate, 0);
    return this.#application + this.#cpu + this.#rate + this.#errorRate > 4 * NOT_SAID;
  }

  #readText(text: string): boolean {
    for (let at = FORM_CHARACTERS; at <= text.length; ) {
      const comma = text.indexOf(',', at);
      const end = comma < 0 ? text.length : comma;
      const equals = text.indexOf('=', at);
      if (equals < 0 || equals >= end) return false;
      const value = text.slice(equals + 1, end).trim();
      if (!this.#take(text.slice(at, equals).trim(), DECIMAL.test(value) ? Number(value) : Number.NaN)) return false;
      at = end + 1;
    }
    return true;
  }

  #readJson(text: string): boolean {
    let parsed: unknown;
    try {
      parsed = JSON.parse(text.slice(FORM_CHARACTERS));
    } catch {
      return false;
    }
    if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) return false;
    for (const [name, value] of Object.entries(parsed)) {
      if (!this.#take(name, typeof value === 'number' ? value : Number.NaN)) return false;
    }
    return true;
  }

  /** @returns false: the metric weighs, and its value is none or its second one */
  #take(name: string, value: number): boolean {
    switch (name) {
      case 'application_utilization':
      case 'applicationUtilization':
        if (this.#application !== NOT_SAID || !isMetric(value)) return false;
        this.#application = value;
        return true;
      case 'cpu_utilization':
      case 'cpuUtilization':
        if (this.#cpu !== NOT_SAID || !isMetric(value)) return false;
        this.#cpu = value;
        return true;
      case 'rps_fractional':
      case 'rpsFractional':
        if (this.#rate !== NOT_SAID || !isMetric(value)) return false;
        this.#rate = value;
        return true;
      case 'eps':
        if (this.#errorRate !== NOT_SAID || !isMetric(value)) return false;
        this.#errorRate = value;
        return true;
      default:
        return true;
    }
  }
}

const NOT_SAID = -1;
/** Of `TEXT ` and `JSON `. */
const FORM_CHARACTERS = 5;
/** As std::from_chars and JSON have it, without a sign. */
const DECIMAL = /^(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
/** No endpoint serves as much in a second; what claims it has another unit. */
const MOST = 1e12;

function isMetric(value: number): boolean {
  return value >= 0 && value <= MOST;
}
