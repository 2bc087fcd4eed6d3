/** The last sounds, the newest first, and the button to say that one was nothing. */

import { css, html, LitElement, nothing, type TemplateResult } from "lit";
import { styles } from "./styles";
import { fill, type Texts } from "./texts";
import { sure, timeOf } from "./times";
import type { HomeAssistant, Sound, View } from "./types";

export class EchonetSounds extends LitElement {
  static override properties = {
    hass: { attribute: false },
    view: { attribute: false },
    sounds: { attribute: false },
    texts: { attribute: false },
  };

  declare hass: HomeAssistant;
  declare view: View;
  declare sounds: Sound[];
  declare texts: Texts;

  override render(): TemplateResult {
    return html`
      <h3 id="title">${this.texts.last_sounds}</h3>
      ${
        this.sounds.length === 0
          ? html`<p class="quiet">${this.texts.nothing_heard}</p>`
          : html`<ul aria-labelledby="title">
              ${this.sounds.map((sound) => this.#row(sound))}
            </ul>`
      }
    `;
  }

  #row(sound: Sound): TemplateResult {
    const name = this.view.names[sound.kind] ?? sound.kind;
    const time = timeOf(this.hass, sound.onset);
    const notes = [
      sound.room ?? "",
      fill(this.texts.sure, { percent: sure(sound.confidence) }),
      sound.going_on ? this.texts.goes_on : "",
      sound.test ? this.texts.test : "",
      sound.late ? this.texts.late : "",
      sound.false_alarm ? this.texts.was_false_alarm : "",
    ].filter(Boolean);
    return html`
      <li class=${sound.going_on ? "going-on" : ""}>
        <time datetime=${sound.onset}>${time}</time>
        <span class="what"><span class="name">${name}</span> <span class="quiet">${notes.join(" · ")}</span></span>
        ${
          sound.incident === null || sound.false_alarm
            ? nothing
            : html`<button
                aria-label=${fill(this.texts.false_alarm_of, { name, time })}
                @click=${() => this.#falseAlarm(sound)}
              >
                ${this.texts.false_alarm}
              </button>`
        }
      </li>
    `;
  }

  #falseAlarm(sound: Sound): void {
    this.dispatchEvent(
      new CustomEvent("echonet-false-alarm", { detail: sound.incident, bubbles: true, composed: true }),
    );
  }

  static override styles = [
    styles,
    css`
      ul {
        list-style: none;
        margin: 0;
        padding: 0;
      }
      li {
        display: flex;
        align-items: center;
        gap: 10px;
        min-height: 44px;
        border-top: 1px solid var(--divider-color);
      }
      li:first-child {
        border-top: none;
      }
      time {
        flex: none;
        min-width: 5.2em;
        font-variant-numeric: tabular-nums;
      }
      .what {
        flex: 1;
        min-width: 0;
        overflow-wrap: anywhere;
      }
      .going-on .name {
        font-weight: 700;
      }
    `,
  ];
}
