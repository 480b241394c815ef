// Encrypts the card for Paydesk alone: compact JWE (RFC 7516), ECDH-ES on P-256 (RFC 7518 §4.6), A256GCM. WebCrypto only.

const utf8 = new TextEncoder();

export function base64url(bytes) {
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

export function randomId() {
  return base64url(crypto.getRandomValues(new Uint8Array(16)));
}

function uint32(value) {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value);
  return bytes;
}

function joined(...parts) {
  const all = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** Concat KDF with SHA-256 (RFC 7518 §4.6.2). 256 bits are one round; apu and apv are empty. */
async function contentKey(shared) {
  const algorithm = utf8.encode("A256GCM");
  const info = joined(uint32(algorithm.length), algorithm, uint32(0), uint32(0), uint32(256));
  const round = joined(uint32(1), shared, info);
  const bytes = await crypto.subtle.digest("SHA-256", round);
  return crypto.subtle.importKey("raw", bytes, "AES-GCM", false, ["encrypt"]);
}

/** An ephemeral pair for this one message: its public half, and the secret it shares with the holder of `jwk`. */
async function agree(jwk) {
  const curve = { name: "ECDH", namedCurve: "P-256" };
  const theirs = await crypto.subtle.importKey("jwk", { kty: "EC", crv: "P-256", x: jwk.x, y: jwk.y }, curve, false, []);
  const ours = await crypto.subtle.generateKey(curve, false, ["deriveBits"]);
  const { kty, crv, x, y } = await crypto.subtle.exportKey("jwk", ours.publicKey);
  const shared = await crypto.subtle.deriveBits({ name: "ECDH", public: theirs }, ours.privateKey, 256);
  return { epk: { kty, crv, x, y }, shared: new Uint8Array(shared) };
}

/** `plain` (an object) for the holder of the public key `jwk`, as one compact JWE. */
export async function encrypt(plain, jwk) {
  const { epk, shared } = await agree(jwk);
  const key = await contentKey(shared);
  const header = { alg: "ECDH-ES", enc: "A256GCM", kid: jwk.kid, epk, typ: "paydesk-card+jwe" };
  const protectedPart = base64url(utf8.encode(JSON.stringify(header)));
  const iv = crypto.getRandomValues(new Uint8Array(12));
  const additionalData = utf8.encode(protectedPart);
  const text = utf8.encode(JSON.stringify(plain));
  const sealed = new Uint8Array(await crypto.subtle.encrypt({ name: "AES-GCM", iv, additionalData }, key, text));
  text.fill(0);
  shared.fill(0);
  const tagAt = sealed.length - 16;
  // The second part is empty: with ECDH-ES the agreed key is the content key itself.
  return [protectedPart, "", base64url(iv), base64url(sealed.slice(0, tagAt)), base64url(sealed.slice(tagAt))].join(".");
}
