/** The card: one satellite, what it hears now, what it heard last, and what the house is alarmed by. */

import { css, html, LitElement, nothing, type PropertyValues, type TemplateResult } from "lit";
import { Feed } from "./feed";
import { form } from "./form";
import { claim } from "./overlay";
import { satellites } from "./satellites";
import { styles } from "./styles";
import { fill, type Texts, textsOf } from "./texts";
import { sure } from "./times";
import type { Alert, CardConfig, FeedEvent, HomeAssistant, Level, Sound, View } from "./types";

const SOUNDS = 5;
const TEST_SHOWN_MS = 10_000;
const LOUD = ["critical", "high"];

export class EchonetCard extends LitElement {
  static override properties = {
    hass: { attribute: false },
    _config: { state: true },
    _view: { state: true },
    _level: { state: true },
    _test: { state: true },
    _lost: { state: true },
    _said: { state: true },
    _failed: { state: true },
  };

  declare hass: HomeAssistant | undefined;
  declare _config: CardConfig | undefined;
  declare _view: View | null | undefined;
  declare _level: Level | undefined;
  declare _test: Sound | undefined;
  declare _lost: boolean;
  declare _said: string;
  declare _failed: string;
  #feed: Feed | undefined;
  #watched: string | undefined;
  #tested = new Set<string>();
  #announced = new Set<string>();

  constructor() {
    super();
    this._lost = false;
    this._said = "";
    this._failed = "";
  }

  static getConfigForm() {
    return form();
  }

  static getStubConfig(hass: HomeAssistant): Partial<CardConfig> {
    const device = satellites(hass)[0];
    return device === undefined ? {} : { device_id: device };
  }

  setConfig(config: CardConfig): void {
    this._config = config;
  }

  getCardSize(): number {
    return 10;
  }

  getGridOptions() {
    return { columns: 12, min_columns: 6, rows: "auto" };
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.requestUpdate();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#lookAway();
    claim(this, undefined);
  }

  get #texts(): Texts {
    return textsOf(this.hass?.locale.language);
  }

  /** The satellite that is meant: the one that was chosen, else the first one. */
  get #device(): string | undefined {
    if (this.hass === undefined || this._config === undefined) return undefined;
    return this._config.device_id ?? satellites(this.hass)[0];
  }

  override updated(changed: PropertyValues): void {
    if (!this.isConnected) return;
    const { hass } = this;
    // One that is not there (yet) is watched once it is.
    const device = this.#device;
    const there = device !== undefined && hass?.devices[device] !== undefined ? device : undefined;
    if (hass !== undefined && there !== this.#watched) this.#watch(hass, there);
    if (changed.has("_view") || changed.has("_test") || changed.has("_config")) this.#showOverlay();
  }

  #watch(hass: HomeAssistant, device: string | undefined): void {
    this.#lookAway();
    this.#watched = device;
    this._view = undefined;
    this._level = undefined;
    this._lost = false;
    if (device === undefined) return;
    this.#feed = new Feed(hass, device, (event) => this.#take(event));
    this.#feed.open();
  }

  #lookAway(): void {
    this.#feed?.close();
    this.#feed = undefined;
    this.#watched = undefined;
  }

  #take(event: FeedEvent): void {
    this._lost = "lost" in event;
    if ("lost" in event) {
      this._level = undefined;
      return;
    }
    if ("level" in event) {
      this._level = event.level;
      return;
    }
    this._view = event.view;
    if (!event.view?.connected || !event.view.listening) this._level = undefined;
    if (event.view !== null) this.#notice(event.view);
  }

  /** Say new sounds to those who cannot see, and show tests to those who cannot hear. */
  #notice(view: View): void {
    for (const sound of view.sounds.filter((item) => item.going_on)) {
      const name = view.names[sound.kind] ?? sound.kind;
      const key = `${sound.id} ${sound.kind}`;
      if (!this.#announced.has(key)) {
        this.#announced.add(key);
        const title = sound.test ? fill(this.#texts.test_title, { title: name }) : name;
        this._said = `${title}, ${fill(this.#texts.sure, { percent: sure(sound.confidence) })}`;
      }
      if (sound.test && !this.#tested.has(sound.id)) {
        this.#tested.add(sound.id);
        this._test = sound;
        setTimeout(() => {
          if (this._test?.id === sound.id) this._test = undefined;
        }, TEST_SHOWN_MS);
      }
    }
  }

  #showOverlay(): void {
    const { hass, _view: view, _test: test } = this;
    const alert = view?.alert ?? undefined;
    const loud = alert !== undefined && !alert.answered && LOUD.includes(alert.severity);
    const shown = loud ? alert : test && view ? testAlert(test, view) : undefined;
    if (hass === undefined || shown === undefined || this._config?.full_screen_alert === false) {
      claim(this, undefined);
      return;
    }
    claim(this, { hass, alert: shown, texts: this.#texts, answer: (falseAlarm) => this.#answer(shown, falseAlarm) });
  }

  async #answer(alert: Alert, falseAlarm: boolean): Promise<void> {
    if (alert.incident === null) return;
    await this.#call(
      falseAlarm ? "label" : "acknowledge",
      falseAlarm ? { incident: alert.incident, verdict: "false_alarm" } : { incident: alert.incident },
    );
  }

  async #call(service: string, data: Record<string, unknown>): Promise<void> {
    this._failed = "";
    try {
      await this.hass?.callService("echonet", service, data);
    } catch (error) {
      const reason = error instanceof Error || isMessage(error) ? error.message : String(error);
      this._failed = fill(this.#texts.failed, { reason });
    }
  }

  override render(): TemplateResult | typeof nothing {
    const { hass, _config: config } = this;
    if (hass === undefined || config === undefined) return nothing;
    const device = this.#device;
    const texts = this.#texts;
    if (device === undefined) return html`<ha-card><p>${texts.no_satellite}</p></ha-card>`;
    if (hass.devices[device] === undefined) return html`<ha-card><p>${texts.unknown_satellite}</p></ha-card>`;
    const view = this._view;
    const name = config.title || view?.name || hass.devices[device]?.name_by_user || hass.devices[device]?.name;
    return html`
      <ha-card>
        <header>
          <h2>${name}</h2>
          ${this.#state(hass, view)}
        </header>
        <div class="hidden" role="status">${this._said}</div>
        ${this._failed ? html`<p class="failed" role="alert">${this._failed}</p>` : nothing}
        ${view ? this.#body(hass, view) : nothing}
      </ha-card>
    `;
  }

  #state(hass: HomeAssistant, view: View | null | undefined): TemplateResult {
    const texts = this.#texts;
    if (this._lost) return html`<span class="state bad">${texts.lost}</span>`;
    if (!view) return html`<span class="state">${texts.starting}</span>`;
    if (!view.connected) return html`<span class="state bad">${texts.not_connected}</span>`;
    if (!view.listening) return html`<span class="state bad">${texts.not_listening}</span>`;
    if (view.problems.length > 0) {
      const named = "component.echonet.entity.sensor.health.state";
      const words = view.problems.map((problem) => hass.localize(`${named}.${problem}`) || problem);
      return html`<span class="state bad">${words.join(" · ")}</span>`;
    }
    return html`<span class="state good">${texts.listening}</span>`;
  }

  #body(hass: HomeAssistant, view: View): TemplateResult {
    const texts = this.#texts;
    const sounds = view.sounds.slice(0, Math.max(0, this._config?.sounds ?? SOUNDS));
    const bands = this._level === undefined || this._level.bands.length > 0;
    return html`
      ${view.alert ? this.#banner(view.alert) : nothing}
      <div class="parts">
        <div>
          <echonet-bars .view=${view} .level=${this._level} .texts=${texts}></echonet-bars>
          ${
            this._config?.spectrogram === false || !bands
              ? nothing
              : html`<echonet-spectrogram .level=${this._level} .texts=${texts}></echonet-spectrogram>`
          }
        </div>
        <echonet-sounds
          .hass=${hass}
          .view=${view}
          .sounds=${sounds}
          .texts=${texts}
          @echonet-false-alarm=${(event: CustomEvent<string>) =>
            this.#call("label", { incident: event.detail, verdict: "false_alarm" })}
        ></echonet-sounds>
      </div>
    `;
  }

  #banner(alert: Alert): TemplateResult {
    const texts = this.#texts;
    const answered = alert.by ? fill(texts.answered_by, { name: alert.by }) : texts.answered;
    return html`
      <div class="banner ${alert.answered ? "" : "unanswered"}" role="alert">
        <strong>${alert.title}</strong>
        ${
          alert.answered
            ? html`<span>${answered}</span>`
            : html`<span class="buttons">
                <button @click=${() => this.#answer(alert, false)}>${texts.acknowledge}</button>
                <button @click=${() => this.#answer(alert, true)}>${texts.false_alarm}</button>
              </span>`
        }
      </div>
    `;
  }

  static override styles = [
    styles,
    css`
      ha-card {
        display: block;
        container-type: inline-size;
        padding: 16px;
      }
      ha-card:not(:defined) {
        border: 1px solid var(--divider-color);
        border-radius: var(--ha-card-border-radius, 12px);
        background: var(--ha-card-background, var(--card-background-color));
      }
      header {
        display: flex;
        flex-wrap: wrap;
        align-items: baseline;
        justify-content: space-between;
        gap: 4px 12px;
        margin-bottom: 12px;
      }
      h2 {
        min-width: 0;
        font-size: 1.3rem;
        font-weight: 400;
        overflow-wrap: anywhere;
      }
      .state {
        font-size: 0.875rem;
      }
      .state::before {
        content: "\\25cb\\00a0";
      }
      .state.good::before {
        content: "\\25cf\\00a0";
        color: var(--success-color);
      }
      .state.bad {
        font-weight: 700;
      }
      .state.bad::before {
        content: "\\26a0\\00a0";
      }
      .failed {
        font-weight: 700;
      }
      .parts {
        display: grid;
        gap: 16px;
      }
      @container (min-width: 720px) {
        .parts {
          grid-template-columns: 1fr 1fr;
          gap: 32px;
        }
      }
      echonet-spectrogram {
        margin-top: 14px;
      }
      .banner {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        justify-content: space-between;
        gap: 8px;
        margin-bottom: 14px;
        padding: 12px;
        border: 2px solid var(--primary-text-color);
        border-radius: 12px;
      }
      .banner strong {
        min-width: 0;
        overflow-wrap: anywhere;
        font-size: 1.15rem;
      }
      .unanswered {
        border-color: #b00020;
        background: #b00020;
        color: #fff;
      }
      .unanswered button {
        border-color: #fff;
        color: #fff;
      }
      .unanswered button:focus-visible {
        outline-color: #fff;
      }
      .buttons {
        display: flex;
        flex-wrap: wrap;
        gap: 8px;
      }
    `,
  ];
}

function testAlert(sound: Sound, view: View): Alert {
  return {
    incident: null,
    kind: sound.kind,
    title: view.names[sound.kind] ?? sound.kind,
    severity: "critical",
    onset: sound.onset,
    confidence: sound.confidence,
    going_on: sound.going_on,
    answered: false,
    by: null,
  };
}

function isMessage(error: unknown): error is { message: string } {
  return typeof error === "object" && error !== null && typeof (error as { message?: unknown }).message === "string";
}
