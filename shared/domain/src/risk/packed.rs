//! Small values of a fixed width, one after the other as bytes: a tenth of what a list of numbers takes in the table.

use serde::{Deserializer, Serializer, de};
use std::fmt;
use std::marker::PhantomData;

pub(super) trait Packed: Sized {
    /// More of them are refused when read.
    const MOST: usize;
    const WIDTH: usize;
    fn write(&self, bytes: &mut Vec<u8>);
    fn read(bytes: &[u8]) -> Option<Self>;
}

pub(super) fn serialize<T: Packed, S: Serializer>(all: &[T], serializer: S) -> Result<S::Ok, S::Error> {
    let mut bytes = Vec::with_capacity(all.len() * T::WIDTH);
    for one in all {
        one.write(&mut bytes);
    }
    serializer.serialize_bytes(&bytes)
}

pub(super) fn deserialize<'de, T: Packed, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<T>, D::Error> {
    deserializer.deserialize_byte_buf(Bytes(PhantomData))
}

struct Bytes<T>(PhantomData<T>);

impl<'de, T: Packed> de::Visitor<'de> for Bytes<T> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at most {} entries of {} bytes", T::MOST, T::WIDTH)
    }

    fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<Vec<T>, E> {
        if !bytes.len().is_multiple_of(T::WIDTH) || bytes.len() > T::MOST * T::WIDTH {
            return Err(E::invalid_length(bytes.len(), &self));
        }
        Ok(bytes.chunks_exact(T::WIDTH).filter_map(T::read).collect())
    }

    /// Formats that have no bytes write them as numbers.
    fn visit_seq<A: de::SeqAccess<'de>>(self, mut numbers: A) -> Result<Vec<T>, A::Error> {
        let mut bytes = Vec::new();
        while let Some(byte) = numbers.next_element::<u8>()? {
            if bytes.len() == T::MOST * T::WIDTH {
                return Err(de::Error::invalid_length(bytes.len() + 1, &self));
            }
            bytes.push(byte);
        }
        self.visit_bytes(&bytes)
    }
}
