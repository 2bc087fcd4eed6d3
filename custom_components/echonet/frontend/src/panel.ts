/** The page that the device page of a satellite leads to: its card, or the cards of all where none is named. */

import { css, html, LitElement, nothing, type TemplateResult } from "lit";
import { deviceOf, satellites } from "./satellites";
import { styles } from "./styles";
import { textsOf } from "./texts";
import type { HomeAssistant } from "./types";

export class EchonetPanel extends LitElement {
  static override properties = { hass: { attribute: false }, route: { attribute: false } };

  declare hass: HomeAssistant | undefined;
  declare route: { path: string } | undefined;

  override render(): TemplateResult | typeof nothing {
    const hass = this.hass;
    if (hass === undefined) return nothing;
    const texts = textsOf(hass.locale.language);
    const named = this.route?.path.split("/")[1];
    const device = named ? deviceOf(hass, named) : undefined;
    const devices = device === undefined ? satellites(hass) : [device];
    return html`
      <header>
        <button aria-label=${texts.back} @click=${() => history.back()}><span aria-hidden="true">&larr;</span></button>
        <h1>${texts.panel_title}</h1>
      </header>
      <main>
        ${
          devices.length === 0
            ? html`<p>${texts.no_satellite}</p>`
            : devices.map(
                (id) =>
                  html`<echonet-card .hass=${hass} ._config=${{ type: "", device_id: id, sounds: 12 }}></echonet-card>`,
              )
        }
      </main>
    `;
  }

  static override styles = [
    styles,
    css`
      :host {
        display: block;
        min-height: 100%;
        background: var(--primary-background-color);
      }
      header {
        display: flex;
        align-items: center;
        gap: 8px;
        height: var(--header-height, 56px);
        padding: 0 8px;
        background: var(--app-header-background-color, var(--primary-color));
        color: var(--app-header-text-color, #fff);
      }
      header button {
        width: 44px;
        height: 44px;
        padding: 0;
        border: none;
        color: inherit;
        font-size: 1.4rem;
      }
      header button:focus-visible {
        outline-color: currentColor;
      }
      header span {
        display: inline-block;
      }
      header span:dir(rtl) {
        transform: scaleX(-1);
      }
      h1 {
        margin: 0;
        font-size: 1.25rem;
        font-weight: 400;
      }
      main {
        display: grid;
        gap: 16px;
        max-width: 1100px;
        margin: 0 auto;
        padding: 16px;
      }
      @media (max-width: 600px) {
        main {
          padding: 8px;
        }
      }
    `,
  ];
}
