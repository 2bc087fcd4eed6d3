/** Registers the elements, and the card among those that a dashboard offers. */

import { EchonetBars } from "./bars";
import { EchonetCard } from "./card";
import { EchonetOverlay } from "./overlay";
import { EchonetPanel } from "./panel";
import { satelliteOfEntity } from "./satellites";
import { EchonetSounds } from "./sounds";
import { EchonetSpectrogram } from "./spectrogram";
import { textsOfPage } from "./texts";
import type { HomeAssistant } from "./types";

const ELEMENTS = {
  "echonet-bars": EchonetBars,
  "echonet-spectrogram": EchonetSpectrogram,
  "echonet-sounds": EchonetSounds,
  "echonet-overlay": EchonetOverlay,
  "echonet-card": EchonetCard,
  "echonet-panel": EchonetPanel,
};

declare global {
  interface Window {
    customCards?: unknown[];
  }
}

// After an update a page that has stayed open loads the new file beside the old one; what is there already stays.
if (customElements.get("echonet-card") === undefined) {
  for (const [name, element] of Object.entries(ELEMENTS)) customElements.define(name, element);
  window.customCards ??= [];
  window.customCards.push({
    type: "echonet-card",
    // Read when the cards are offered: only then is it known which language the page speaks.
    get name() {
      return textsOfPage().card_name;
    },
    get description() {
      return textsOfPage().card_description;
    },
    preview: true,
    documentationURL: "https://github.com/echonet-home/echonet/blob/main/docs/card.md",
    getEntitySuggestion(hass: HomeAssistant, entityId: string) {
      const device = satelliteOfEntity(hass, entityId);
      return device === undefined ? null : { config: { type: "custom:echonet-card", device_id: device } };
    },
  });
}
