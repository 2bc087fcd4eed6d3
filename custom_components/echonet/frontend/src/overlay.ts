/** The alert that nobody overlooks: over everything else, once for the page however many cards there are. */

import { css, html, LitElement, nothing, type TemplateResult } from "lit";
import { styles } from "./styles";
import { fill, type Texts } from "./texts";
import { sure, timeOf } from "./times";
import type { Alert, HomeAssistant } from "./types";

/** What a card says of an alert to all of the page. */
interface Claim {
  hass: HomeAssistant;
  alert: Alert;
  texts: Texts;
  answer: (falseAlarm: boolean) => void;
}

const claims = new Map<object, Claim>();
// What was hidden is not shown again, unless it turns out to be something else.
const hidden = new Set<string>();
let overlay: EchonetOverlay | undefined;

const keyOf = (alert: Alert) => `${alert.incident} ${alert.kind} ${alert.onset}`;

/** Show an alert for a card, or with nothing to show end what that card has shown. */
export function claim(card: object, wanted: Claim | undefined): void {
  if (wanted === undefined) claims.delete(card);
  else claims.set(card, wanted);
  const next = [...claims.values()].find((item) => !hidden.has(keyOf(item.alert)));
  if (next !== undefined && overlay === undefined) {
    overlay = document.createElement("echonet-overlay") as EchonetOverlay;
    document.body.append(overlay);
  }
  if (overlay === undefined) return;
  if (next === undefined) {
    overlay.remove();
    overlay = undefined;
  } else {
    overlay.claim = next;
  }
}

export class EchonetOverlay extends LitElement {
  static override properties = { claim: { attribute: false } };

  declare claim: Claim;

  override render(): TemplateResult {
    const { alert, texts, hass } = this.claim;
    const test = alert.incident === null;
    const message = test
      ? texts.test_message
      : fill(texts.heard_at, { time: timeOf(hass, alert.onset), percent: sure(alert.confidence) });
    return html`
      <dialog role="alertdialog" aria-labelledby="title" aria-describedby="message" @cancel=${this.#hide}>
        <div class="panel">
          <div class="sign" aria-hidden="true">!</div>
          <h2 id="title">${test ? fill(texts.test_title, { title: alert.title }) : alert.title}</h2>
          <p id="message">${message}${alert.going_on || test ? nothing : html` ${texts.over}`}</p>
          <div class="buttons">
            ${
              test
                ? nothing
                : html`<button class="first" autofocus @click=${() => this.claim.answer(false)}>
                      ${texts.acknowledge}
                    </button>
                    <button @click=${() => this.claim.answer(true)}>${texts.false_alarm}</button>`
            }
            <button @click=${this.#hide}>${texts.hide}</button>
          </div>
        </div>
      </dialog>
    `;
  }

  override firstUpdated(): void {
    this.renderRoot.querySelector("dialog")?.showModal();
  }

  #hide = () => {
    hidden.add(keyOf(this.claim.alert));
    for (const [card, item] of claims) if (hidden.has(keyOf(item.alert))) claims.delete(card);
    claim(this, undefined);
  };

  static override styles = [
    styles,
    css`
      dialog {
        box-sizing: border-box;
        width: 100vw;
        height: 100dvh;
        max-width: none;
        max-height: none;
        margin: 0;
        padding: 6vmin;
        border: none;
        background: #d00000;
        /* Less than three flashes a second: nobody's brain is hurt, and nobody's eye misses it. */
        animation: flash 1s steps(1) infinite;
      }
      dialog[open] {
        display: grid;
        align-items: center;
      }
      @keyframes flash {
        50% {
          background: #ffd600;
        }
      }
      .panel {
        display: flex;
        flex-direction: column;
        align-items: center;
        justify-content: center;
        gap: 3vmin;
        max-height: 100%;
        box-sizing: border-box;
        padding: 6vmin 4vmin;
        overflow: auto;
        border-radius: 24px;
        background: #000;
        color: #fff;
        text-align: center;
      }
      .sign {
        flex: none;
        width: 18vmin;
        height: 18vmin;
        border-radius: 50%;
        background: #ffd600;
        color: #000;
        font-size: 14vmin;
        line-height: 18vmin;
        font-weight: 900;
      }
      h2,
      p {
        max-width: 100%;
        overflow-wrap: anywhere;
      }
      h2 {
        font-size: clamp(1.8rem, 8vmin, 5rem);
        line-height: 1.1;
        font-weight: 700;
      }
      p {
        font-size: clamp(1rem, 3.4vmin, 2rem);
      }
      .buttons {
        display: flex;
        flex-wrap: wrap;
        justify-content: center;
        gap: 12px;
      }
      button {
        min-height: 56px;
        padding: 8px 28px;
        border: 2px solid #fff;
        border-radius: 28px;
        color: #fff;
        font-size: 1.15rem;
      }
      .first {
        background: #fff;
        color: #000;
        font-weight: 700;
      }
      .first:hover {
        background: #ffd600;
      }
      button:focus-visible {
        outline-color: #ffd600;
      }
      @media (prefers-reduced-motion: reduce) {
        dialog {
          animation: none;
        }
      }
    `,
  ];
}
