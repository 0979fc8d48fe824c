"""Screenshots as small files: of text and flat colours little is lost with a few dozen of them."""

import base64
import struct
import zlib

MOST = 40
INDEXED = """async ([png, most]) => {
  const bytes = Uint8Array.from(atob(png), (each) => each.charCodeAt(0));
  const image = await createImageBitmap(new Blob([bytes], { type: "image/png" }));
  const { width, height } = image;
  const context = new OffscreenCanvas(width, height).getContext("2d");
  context.drawImage(image, 0, 0);
  const pixels = new Uint32Array(context.getImageData(0, 0, width, height).data.buffer);
  const counts = new Map();
  for (const each of pixels) counts.set(each, (counts.get(each) ?? 0) + 1);
  const colours = [...counts.keys()];
  const parts = colours.map((each) => [each & 255, each >> 8 & 255, each >> 16 & 255]);
  const away = ([r, g, b], [s, h, c]) => Math.abs(r - s) + Math.abs(g - h) + Math.abs(b - c);
  // Next is what most pixels are farthest from: a rare colour that is like no other is kept before one more grey.
  const far = new Array(colours.length).fill(765), nearest = new Array(colours.length).fill(0), palette = [];
  while (palette.length < Math.min(most, colours.length)) {
    let next = 0, worst = -1;
    for (let i = 0; i < colours.length; i++) {
      const cost = far[i] ** 2 * counts.get(colours[i]) ** 0.6;
      if (cost > worst) [next, worst] = [i, cost];
    }
    if (worst === 0) break;
    for (let i = 0; i < colours.length; i++) {
      const distance = away(parts[i], parts[next]);
      if (distance < far[i]) [far[i], nearest[i]] = [distance, palette.length];
    }
    palette.push(parts[next]);
  }
  const place = new Map(colours.map((each, i) => [each, nearest[i]]));
  const rows = new Uint8Array(height * (width + 1)); // each row begins with 0: it is written as it is
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++) rows[y * (width + 1) + x + 1] = place.get(pixels[at++]);
  }
  const packed = new Response(new Blob([rows]).stream().pipeThrough(new CompressionStream("deflate")));
  const data = new Uint8Array(await packed.arrayBuffer());
  let text = "";
  for (let at = 0; at < data.length; at += 0x8000) text += String.fromCharCode(...data.subarray(at, at + 0x8000));
  return [width, height, palette.flat(), btoa(text)];
}"""


def with_a_palette(page, png):
    """Return a PNG of the same picture in a few colours; the page's browser is what reads the one given."""
    width, height, palette, data = page.evaluate(INDEXED, [base64.b64encode(png).decode(), MOST])
    parts = [
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)),
        (b"PLTE", bytes(palette)),
        (b"IDAT", zlib.compress(zlib.decompress(base64.b64decode(data)), 9)),
        (b"IEND", b""),
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*each) for each in parts)


def _chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
