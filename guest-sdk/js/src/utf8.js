// UTF-8 for engines without TextEncoder and TextDecoder. Halves of surrogate pairs become U+FFFD, as the standard has
// it.

/** The bytes of a text. */
export function utf8(text) {
  const length = text.length;
  let bytes = new Uint8Array(length);
  let at = 0;
  let index = 0;
  // Nearly every text is ASCII to the end.
  for (; index < length; index += 1) {
    const code = text.charCodeAt(index);
    if (code > 0x7f) break;
    bytes[at++] = code;
  }
  if (index === length) return bytes;
  const rest = new Uint8Array(at + (length - index) * 3);
  rest.set(bytes.subarray(0, at));
  bytes = rest;
  for (; index < length; index += 1) {
    let code = text.charCodeAt(index);
    if (code <= 0x7f) {
      bytes[at++] = code;
      continue;
    }
    if (code <= 0x7ff) {
      bytes[at++] = 0xc0 | (code >> 6);
      bytes[at++] = 0x80 | (code & 0x3f);
      continue;
    }
    if (code >= 0xd800 && code <= 0xdfff) {
      const next = index + 1 < length ? text.charCodeAt(index + 1) : 0;
      if (code <= 0xdbff && next >= 0xdc00 && next <= 0xdfff) {
        code = 0x10000 + ((code - 0xd800) << 10) + (next - 0xdc00);
        index += 1;
        bytes[at++] = 0xf0 | (code >> 18);
        bytes[at++] = 0x80 | ((code >> 12) & 0x3f);
        bytes[at++] = 0x80 | ((code >> 6) & 0x3f);
        bytes[at++] = 0x80 | (code & 0x3f);
        continue;
      }
      code = 0xfffd;
    }
    bytes[at++] = 0xe0 | (code >> 12);
    bytes[at++] = 0x80 | ((code >> 6) & 0x3f);
    bytes[at++] = 0x80 | (code & 0x3f);
  }
  return bytes.subarray(0, at);
}

const CHUNK = 4096;

/** The text of bytes. What is no UTF-8 becomes U+FFFD, or an error when `fatal`. */
export function fromUtf8(bytes, fatal) {
  const parts = [];
  let codes = [];
  let at = 0;
  const end = bytes.length;
  while (at < end) {
    const first = bytes[at++];
    if (first < 0x80) {
      codes.push(first);
    } else {
      // The lowest and highest second byte, which rule out long forms, surrogates and what is beyond Unicode.
      let [count, code, low, high] = [0, 0, 0x80, 0xbf];
      if (first >= 0xc2 && first <= 0xdf) [count, code] = [1, first & 0x1f];
      else if (first >= 0xe0 && first <= 0xef) {
        [count, code] = [2, first & 0x0f];
        if (first === 0xe0) low = 0xa0;
        if (first === 0xed) high = 0x9f;
      } else if (first >= 0xf0 && first <= 0xf4) {
        [count, code] = [3, first & 0x07];
        if (first === 0xf0) low = 0x90;
        if (first === 0xf4) high = 0x8f;
      }
      let isWhole = count > 0;
      for (let left = count; left > 0; left -= 1) {
        const next = at < end ? bytes[at] : -1;
        if (next < low || next > high) {
          isWhole = false;
          break;
        }
        code = (code << 6) | (next & 0x3f);
        at += 1;
        [low, high] = [0x80, 0xbf];
      }
      if (!isWhole) {
        if (fatal) throw new TypeError('the bytes are no UTF-8');
        codes.push(0xfffd);
      } else {
        codes.push(code);
      }
    }
    if (codes.length >= CHUNK) {
      parts.push(String.fromCodePoint(...codes));
      codes = [];
    }
  }
  parts.push(String.fromCodePoint(...codes));
  return parts.join('');
}
