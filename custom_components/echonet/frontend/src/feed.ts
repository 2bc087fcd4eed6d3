/** What the integration tells of a satellite, while somebody looks: a page in the background looks at nothing. */

import type { FeedEvent, HomeAssistant } from "./types";

const RETRY_MS = 5000;

export class Feed {
  #hass: HomeAssistant;
  #deviceId: string;
  #take: (event: FeedEvent) => void;
  #running = false;
  #attempt = 0;
  #unsubscribe: (() => Promise<void>) | undefined;
  #retry: ReturnType<typeof setTimeout> | undefined;
  // What was seen last stays in view, an alert above all.
  #lose = () => this.#take({ lost: true });
  #look = () => {
    this.#stop();
    if (!document.hidden) void this.#start();
  };

  constructor(hass: HomeAssistant, deviceId: string, take: (event: FeedEvent) => void) {
    this.#hass = hass;
    this.#deviceId = deviceId;
    this.#take = take;
  }

  open(): void {
    document.addEventListener("visibilitychange", this.#look);
    this.#hass.connection.addEventListener("ready", this.#look);
    this.#hass.connection.addEventListener("disconnected", this.#lose);
    this.#running = true;
    this.#look();
  }

  close(): void {
    document.removeEventListener("visibilitychange", this.#look);
    this.#hass.connection.removeEventListener("ready", this.#look);
    this.#hass.connection.removeEventListener("disconnected", this.#lose);
    this.#running = false;
    this.#stop();
  }

  async #start(): Promise<void> {
    const attempt = ++this.#attempt;
    const current = () => this.#running && attempt === this.#attempt;
    try {
      const unsubscribe = await this.#hass.connection.subscribeMessage<FeedEvent>(
        (event) => {
          if (current()) this.#take(event);
        },
        { type: "echonet/watch", device_id: this.#deviceId, language: this.#hass.locale.language },
        { resubscribe: false },
      );
      if (current()) this.#unsubscribe = unsubscribe;
      else await unsubscribe().catch(() => undefined);
    } catch {
      // The satellite is not set up yet, or Home Assistant still starts.
      if (!current()) return;
      this.#take({ view: null });
      this.#retry = setTimeout(this.#look, RETRY_MS);
    }
  }

  #stop(): void {
    this.#attempt++;
    clearTimeout(this.#retry);
    // Where the connection has gone, so has the subscription.
    this.#unsubscribe?.().catch(() => undefined);
    this.#unsubscribe = undefined;
  }
}
