//! Numbers of so many bits, one behind the other, as H.264 has them (ITU-T H.264, 7.2 and 9.1).

/// Bits that are being written, the highest of each byte first.
#[derive(Debug, Default)]
pub(super) struct Bits {
    bytes: Vec<u8>,
    /// How many bits of the last byte are still free.
    free: u32,
}

impl Bits {
    /// The lowest `count` bits of `value`.
    pub(super) fn put(&mut self, value: u32, count: u32) {
        for place in (0..count).rev() {
            if self.free == 0 {
                self.bytes.push(0);
                self.free = 8;
            }
            self.free -= 1;
            if let Some(last) = self.bytes.last_mut()
                && value >> place & 1 == 1
            {
                *last |= 1 << self.free;
            }
        }
    }

    /// `ue(v)`, a number from 0 to 65,534 that is short when it is small: one more than the number,
    /// and before it as many zeros as it has digits behind its first. Of `se(v)`, which has
    /// negative numbers too, only 0 is needed, and that looks the same.
    pub(super) fn golomb(&mut self, value: u16) {
        let value = u32::from(value) + 1;
        self.put(value, 2 * value.ilog2() + 1);
    }

    /// Zeros up to the next whole byte.
    pub(super) fn align(&mut self) {
        self.free = 0;
    }

    /// A byte; after [`align`](Self::align).
    pub(super) fn byte(&mut self, byte: u8) {
        self.put(byte.into(), 8);
    }

    /// What has been written, closed by a one and zeros up to the next whole byte.
    pub(super) fn close(mut self) -> Vec<u8> {
        self.put(1, 1);
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: impl FnOnce(&mut Bits)) -> String {
        let mut bits = Bits::default();
        write(&mut bits);
        let all: Vec<_> = bits.close().iter().map(|byte| format!("{byte:08b}")).collect();
        let all = all.concat();
        let end = all.rfind('1').unwrap();
        all[..end].to_owned()
    }

    #[test]
    fn numbers_stand_one_behind_the_other() {
        assert_eq!(written(|_| {}), "");
        let some = written(|bits| {
            bits.put(0b101, 3);
            bits.put(0xFFFF_FF00, 9);
            bits.put(3, 2);
        });
        assert_eq!(some, "10110000000011");
        let some = written(|bits| {
            bits.put(1, 1);
            bits.align();
            bits.byte(0xA5);
        });
        assert_eq!(some, "1000000010100101");
    }

    /// Table 9-2.
    #[test]
    fn small_numbers_are_short() {
        for (number, code) in [
            (0, "1"),
            (1, "010"),
            (2, "011"),
            (3, "00100"),
            (6, "00111"),
            (7, "0001000"),
            (25, "000011010"),
        ] {
            assert_eq!(written(|bits| bits.golomb(number)), code, "{number}");
        }
        let largest = written(|bits| bits.golomb(65_534));
        assert_eq!(largest, format!("{:015}{:b}", 0, 65_535));
    }
}
