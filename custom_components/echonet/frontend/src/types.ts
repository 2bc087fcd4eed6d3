/** What the card uses of Home Assistant's frontend, and what the integration tells it. */

export interface HassEntity {
  entity_id: string;
  state: string;
  attributes: Record<string, unknown>;
}

export interface RegistryEntity {
  entity_id: string;
  device_id?: string;
  platform?: string;
  translation_key?: string;
}

export interface RegistryDevice {
  id: string;
  name: string | null;
  name_by_user: string | null;
  identifiers: [string, string][];
}

export interface Connection {
  connected: boolean;
  subscribeMessage<T>(
    callback: (message: T) => void,
    message: Record<string, unknown>,
    options?: { resubscribe?: boolean },
  ): Promise<() => Promise<void>>;
  addEventListener(type: "ready" | "disconnected", listener: () => void): void;
  removeEventListener(type: "ready" | "disconnected", listener: () => void): void;
}

export interface HomeAssistant {
  connection: Connection;
  states: Record<string, HassEntity>;
  entities: Record<string, RegistryEntity>;
  devices: Record<string, RegistryDevice>;
  language: string;
  locale: { language: string; time_format?: string; time_zone?: string };
  config: { time_zone: string };
  /** Empty where there is no such text. */
  localize(key: string): string;
  callService(domain: string, service: string, data: Record<string, unknown>): Promise<unknown>;
}

export interface CardConfig {
  type: string;
  device_id?: string;
  title?: string;
  spectrogram?: boolean;
  full_screen_alert?: boolean;
  sounds?: number;
}

/** One sound that was heard; `incident` is what can be answered. */
export interface Sound {
  id: string;
  kind: string;
  sound_class: string;
  /** Of a satellite that hears several rooms: which. */
  room: string | null;
  confidence: number;
  onset: string;
  going_on: boolean;
  test: boolean;
  late: boolean;
  incident: string | null;
  false_alarm: boolean;
}

/** What the whole house is alarmed by; without an incident it is a test. */
export interface Alert {
  incident: string | null;
  kind: string;
  title: string;
  severity: "critical" | "high" | "normal" | "silent";
  onset: string;
  confidence: number;
  going_on: boolean;
  answered: boolean;
  by: string | null;
}

export interface View {
  name: string;
  room: string | null;
  connected: boolean;
  listening: boolean;
  problems: string[];
  classes: string[];
  active: string[];
  names: Record<string, string>;
  sounds: Sound[];
  alert: Alert | null;
}

/** The last moment; of an older satellite the bars and bands are empty. */
export interface Level {
  rms: number;
  peak: number;
  probabilities: Record<string, number>;
  thresholds: Record<string, number>;
  bands: number[];
}

export type FeedEvent = { view: View | null } | { level: Level } | { lost: true };
