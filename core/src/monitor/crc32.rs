//! CRC-32 of zip files and log segments: polynomial 0xEDB88320, reflected, as in ISO 3309 and PKWARE's APPNOTE.

const TABLE: [u32; 256] = {
    let mut table = [0; 256];
    let mut index = 0;
    while index < 256 {
        let mut rest = index as u32;
        let mut bit = 0;
        while bit < 8 {
            rest = if rest & 1 == 1 {
                0xEDB8_8320 ^ (rest >> 1)
            } else {
                rest >> 1
            };
            bit += 1;
        }
        table[index] = rest;
        index += 1;
    }
    table
};

/// The checksum of some bytes.
pub fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |rest, &byte| {
        TABLE[usize::from(rest as u8 ^ byte)] ^ (rest >> 8)
    })
}

#[cfg(test)]
mod tests {
    use super::crc32;

    /// The check value of the CRC catalogue (CRC-32/ISO-HDLC).
    #[test]
    fn checksums_are_those_of_zip() {
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
        assert_eq!(crc32(b""), 0);
    }
}
