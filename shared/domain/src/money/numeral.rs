use rust_decimal::Decimal;
use thiserror::Error;

#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NumeralError {
    #[error("must be a decimal number, such as \"12.50\"")]
    Malformed,
    #[error("has more digits than can be kept exactly")]
    OutOfRange,
}

/// Longer than any amount that could be accepted, short enough to refuse a flood of digits early.
const MAX_LENGTH: usize = 64;

/// The exact value of a numeral in JSON's number grammar. `rust_decimal` reads more than that (underscores, a leading
/// plus) and rounds what it can't hold; with money neither may happen.
pub fn parse_decimal(text: &str) -> Result<Decimal, NumeralError> {
    if text.len() > MAX_LENGTH {
        return Err(NumeralError::OutOfRange);
    }
    let (negative, unsigned) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (significand, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((significand, exponent)) => (significand, parse_exponent(exponent)?),
        None => (unsigned, 0),
    };
    let (whole, fraction) = match significand.split_once('.') {
        Some((_, "")) => return Err(NumeralError::Malformed),
        Some(parts) => parts,
        None => (significand, ""),
    };
    if !is_whole_number(whole) || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(NumeralError::Malformed);
    }

    let mut mantissa: i128 = 0;
    for digit in whole.bytes().chain(fraction.bytes()) {
        mantissa = mantissa
            .checked_mul(10)
            .and_then(|shifted| shifted.checked_add(i128::from(digit - b'0')))
            .ok_or(NumeralError::OutOfRange)?;
    }
    let fraction_digits = i64::try_from(fraction.len()).map_err(|_| NumeralError::OutOfRange)?;
    let scale = fraction_digits.checked_sub(exponent).ok_or(NumeralError::OutOfRange)?;
    build(if negative { -mantissa } else { mantissa }, scale)
}

fn build(mantissa: i128, scale: i64) -> Result<Decimal, NumeralError> {
    let out_of_range = |_| NumeralError::OutOfRange;
    let (mantissa, scale) = if scale >= 0 {
        (mantissa, u32::try_from(scale).map_err(out_of_range)?)
    } else if mantissa == 0 {
        (0, 0)
    } else {
        let factor =
            u32::try_from(-scale).map_err(out_of_range).map(|exponent| 10_i128.checked_pow(exponent))?;
        (factor.and_then(|factor| mantissa.checked_mul(factor)).ok_or(NumeralError::OutOfRange)?, 0)
    };
    // More decimals than a Decimal has are refused there.
    Decimal::try_from_i128_with_scale(mantissa, scale).map_err(|_| NumeralError::OutOfRange)
}

fn is_whole_number(digits: &str) -> bool {
    !digits.is_empty()
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && (digits.len() == 1 || !digits.starts_with('0'))
}

fn parse_exponent(text: &str) -> Result<i64, NumeralError> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(NumeralError::Malformed);
    }
    let magnitude: i64 = digits.parse().map_err(|_| NumeralError::OutOfRange)?;
    Ok(if text.starts_with('-') { -magnitude } else { magnitude })
}
