//! The text behind a pix QR code: an EMV tag-length-value string as a bank's app would read it.

/// A dynamic BR Code for this amount in centavos. The checksum is real, so that a client may check it.
pub(crate) fn emv(charge_id: &str, amount_minor: i64) -> String {
    let account =
        tlv("00", "br.gov.bcb.pix") + &tlv("25", &format!("sandbox.invalid/pix/{}", tail(charge_id, 24)));
    let amount = format!("{}.{:02}", amount_minor / 100, amount_minor % 100);
    let payload = [
        tlv("00", "01"),
        tlv("26", &account),
        tlv("52", "0000"),
        tlv("53", "986"),
        tlv("54", &amount),
        tlv("58", "BR"),
        tlv("59", "FATURA SANDBOX"),
        tlv("60", "SAO PAULO"),
        tlv("62", &tlv("05", tail(charge_id, 24))),
        "6304".to_owned(),
    ]
    .concat();
    let checksum = crc16(payload.as_bytes());
    format!("{payload}{checksum:04X}")
}

fn tlv(tag: &str, value: &str) -> String {
    format!("{tag}{:02}{value}", value.len())
}

fn tail(text: &str, length: usize) -> &str {
    text.get(text.len().saturating_sub(length)..).unwrap_or(text)
}

/// CRC-16/CCITT-FALSE, as the EMV specification wants it.
fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0xFFFF, |crc, byte| {
        (0..8).fold(crc ^ (u16::from(*byte) << 8), |crc, _| {
            if crc & 0x8000 == 0 { crc << 1 } else { (crc << 1) ^ 0x1021 }
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_the_standards() {
        assert_eq!(crc16(b"123456789"), 0x29B1);
    }

    #[test]
    fn a_code_says_its_amount_and_ends_in_its_checksum() {
        let code = emv("ch_0123456789abcdef01234567", 12_305);
        assert!(code.contains("5406123.05"), "{code}");
        let (payload, checksum) = code.split_at(code.len() - 4);
        assert_eq!(format!("{:04X}", crc16(payload.as_bytes())), checksum);
    }
}
