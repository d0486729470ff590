//! PNG files, without compression: uploads are written anew anyhow, and then they are compressed.

use crate::demo::colours::Colour;

/// The largest piece that is stored as it is (RFC 1951, 3.2.4).
const PIECE: usize = 65_535;

/// A picture of pixels that are numbers of colours in a palette, row by row.
pub(super) fn png(width: u16, palette: &[Colour], pixels: &[u8]) -> Vec<u8> {
    let rows = pixels.chunks_exact(width.into());
    let height = u32::try_from(rows.len()).unwrap_or(u32::MAX);
    let mut header = [u32::from(width).to_be_bytes(), height.to_be_bytes()].concat();
    // Bits of a pixel; it is a number of a colour; the only compression and filters; all at once.
    header.extend([8, 3, 0, 0, 0]);
    // Each row says how it is filtered: not at all.
    let rows: Vec<u8> = rows.flat_map(|row| [&[0], row].concat()).collect();
    let chunks = [
        chunk(*b"IHDR", &header),
        chunk(*b"PLTE", palette.as_flattened()),
        chunk(*b"IDAT", &zlib(&rows)),
        chunk(*b"IEND", &[]),
    ];
    [&b"\x89PNG\r\n\x1A\n"[..], &chunks.concat()].concat()
}

fn chunk(kind: [u8; 4], content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len()).unwrap_or(u32::MAX).to_be_bytes();
    let checked = [&kind, content].concat();
    [&length, &checked[..], &checksum(&checked).to_be_bytes()].concat()
}

/// Bytes as a zlib stream that stores them as they are (RFC 1950).
fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut stream = vec![0x78, 0x01];
    let mut pieces = bytes.chunks(PIECE).peekable();
    while let Some(piece) = pieces.next() {
        let length = u16::try_from(piece.len()).unwrap_or(u16::MAX);
        stream.push(u8::from(pieces.peek().is_none()));
        stream.extend(length.to_le_bytes());
        stream.extend((!length).to_le_bytes());
        stream.extend(piece);
    }
    stream.extend(adler(bytes).to_be_bytes());
    stream
}

/// Adler-32 (RFC 1950, 8.2).
fn adler(bytes: &[u8]) -> u32 {
    let (low, high) = bytes.iter().fold((1_u32, 0_u32), |(low, high), byte| {
        let low = (low + u32::from(*byte)) % 65_521;
        (low, (high + low) % 65_521)
    });
    high << 16 | low
}

/// CRC-32 (the PNG specification, annex D).
fn checksum(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |sum, byte| {
        let [low, ..] = sum.to_le_bytes();
        sum >> 8 ^ TABLE[usize::from(low ^ byte)]
    })
}

/// What each byte does to the checksum.
const TABLE: [u32; 256] = {
    let mut table = [0; 256];
    let mut byte = 0_u32;
    while byte < 256 {
        let mut sum = byte;
        let mut bit = 0;
        while bit < 8 {
            sum = if sum & 1 == 1 { sum >> 1 ^ 0xEDB8_8320 } else { sum >> 1 };
            bit += 1;
        }
        table[byte as usize] = sum;
        byte += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksums_are_the_standards() {
        assert_eq!(checksum(b"123456789"), 0xCBF4_3926);
        assert_eq!(adler(b"Wikipedia"), 0x11E6_0398);
    }

    #[test]
    fn a_picture_is_read_back() {
        let palette = [[255, 0, 0], [0, 0, 255], [9, 8, 7]];
        // More than one piece of 65,535 bytes.
        let pixels: Vec<u8> = (0..300 * 250_u32).map(|n| (n % 7 % 3) as u8).collect();
        let picture = image::load_from_memory(&png(300, &palette, &pixels)).unwrap().to_rgb8();
        assert_eq!(picture.dimensions(), (300, 250));
        let expected: Vec<u8> =
            pixels.iter().flat_map(|pixel| palette[usize::from(*pixel)]).collect();
        assert_eq!(picture.into_raw(), expected);
    }
}
