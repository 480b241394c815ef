// What a shop may change about the looks: a handful of custom properties, each of one kind, and the colour scheme.

const colour = (value) => /^[#\w(),.%\s/-]{1,64}$/.test(value) && !/url|var|env/i.test(value) && CSS.supports("color", value);
const length = (value) => /^\d{1,2}(\.\d{1,3})?(px|rem|em)$/.test(value);
const family = (value) => /^[\w\s,'"-]{1,120}$/.test(value);

const PROPERTIES = {
  accent: ["--accent", colour],
  accentText: ["--accent-text", colour],
  background: ["--surface", colour],
  field: ["--field", colour],
  text: ["--text", colour],
  muted: ["--muted", colour],
  border: ["--border", colour],
  danger: ["--danger", colour],
  radius: ["--radius", length],
  fontSize: ["--size", length],
  fontFamily: ["--font", family],
};
const SCHEMES = ["light", "dark"];

/** Sets what is known and well formed; everything else is passed over. */
export function dress(root, appearance) {
  if (typeof appearance !== "object" || appearance === null) return;
  for (const [name, [property, fits]] of Object.entries(PROPERTIES)) {
    const value = appearance[name];
    if (typeof value === "string" && fits(value)) root.style.setProperty(property, value);
  }
  if (SCHEMES.includes(appearance.scheme)) root.dataset.scheme = appearance.scheme;
  if (appearance.scheme === "auto") delete root.dataset.scheme;
}
