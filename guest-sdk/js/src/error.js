// What can be wrong with an image: a text, and the path of the attribute that it is about.

// Letters of all languages, as far as this tells them: not every engine knows \p{Alphabetic}.
const PLAIN_NAME = /^[\w\u00aa-\u1fff\u2c00-\udfff-]+$/;

/**
 * Why an image could not be read, and which attribute was in the way. The message reads
 * `new image: orders[3].price: expected a number (N), found a string (S)`.
 */
export class ImageError extends Error {
  /** Which image: `keys`, `new image`, `old image`; undefined for a text from elsewhere. */
  image;
  /** The path of the attribute that is wrong, such as `orders[3].price`; empty when it is the image as a whole. */
  path = '';
  /** What is wrong, without the place. */
  reason;

  constructor(reason) {
    super(reason);
    this.reason = reason;
  }

  /** The path is put together from the attribute outwards, while the error is on its way out. */
  in(step) {
    let text;
    if (typeof step === 'number') text = `[${step}]`;
    else if (PLAIN_NAME.test(step)) text = step;
    else text = `[${JSON.stringify(step)}]`;
    this.path = text + (this.path === '' || this.path.startsWith('[') ? '' : '.') + this.path;
    return this.#told();
  }

  of(image) {
    this.image = image;
    return this.#told();
  }

  #told() {
    const place = [this.image, this.path]
      .filter(Boolean)
      .map((part) => `${part}: `)
      .join('');
    this.message = place + this.reason;
    return this;
  }
}
// Not an own field, so that an error prints as `ImageError: new image: …` and not with a field of its name.
Object.defineProperty(ImageError.prototype, 'name', { value: 'ImageError', configurable: true, writable: true });

/** Puts the place before an error that came out of an attribute or an element; other errors pass. */
export function placed(error, step) {
  return error instanceof ImageError ? error.in(step) : error;
}

/** Runs `read`, and says in an error which image it was. */
export function ofImage(image, read) {
  try {
    return read();
  } catch (error) {
    throw error instanceof ImageError ? error.of(image) : error;
  }
}

/** For messages: what a JSON value is, cut where it is long. */
export function told(value) {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 48 ? `${text.slice(0, 48)}…` : text;
}
