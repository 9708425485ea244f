//! A bounds-checked reader of FlatBuffers tables: every access may fail, none can read outside the file.
//!
//! Goes in: the bytes of a file. Comes out: tables, vectors and scalars, or [`Broken`] with the byte offset at which
//! the file stops making sense. The wire format is the one that the FlatBuffers project documents ("FlatBuffer
//! internals"): a table starts with a signed offset back to its vtable; the vtable holds its own length, the
//! table's length and one 16-bit field offset per field, 0 for an absent field.

/// The file does not hold what its own offsets promise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Broken {
    /// Byte position of the failed access.
    pub offset: usize,
    /// What was being read.
    pub what: &'static str,
}

/// Result of reading from the file.
pub type Read<T> = Result<T, Broken>;

/// The whole file.
#[derive(Clone, Copy)]
pub struct Bytes<'a>(pub &'a [u8]);

impl<'a> Bytes<'a> {
    fn array<const N: usize>(self, offset: usize, what: &'static str) -> Read<[u8; N]> {
        let end = offset.checked_add(N).ok_or(Broken { offset, what })?;
        let slice = self.0.get(offset..end).ok_or(Broken { offset, what })?;
        <[u8; N]>::try_from(slice).map_err(|_| Broken { offset, what })
    }

    fn u16(self, offset: usize, what: &'static str) -> Read<u16> {
        self.array(offset, what).map(u16::from_le_bytes)
    }

    fn u32(self, offset: usize, what: &'static str) -> Read<u32> {
        self.array(offset, what).map(u32::from_le_bytes)
    }

    fn i32(self, offset: usize, what: &'static str) -> Read<i32> {
        self.array(offset, what).map(i32::from_le_bytes)
    }

    /// Follows the unsigned 32-bit offset that stands at `offset`.
    fn follow(self, offset: usize, what: &'static str) -> Read<usize> {
        let distance = self.u32(offset, what)? as usize;
        offset
            .checked_add(distance)
            .filter(|&target| target < self.0.len())
            .ok_or(Broken { offset, what })
    }

    /// The root table of the file.
    pub fn root(self) -> Read<Table<'a>> {
        Table::at(self, self.follow(0, "root table")?)
    }
}

/// A table: a set of optional fields addressed by their number in the schema.
#[derive(Clone, Copy)]
pub struct Table<'a> {
    bytes: Bytes<'a>,
    position: usize,
    vtable: usize,
    vtable_len: usize,
}

impl<'a> Table<'a> {
    fn at(bytes: Bytes<'a>, position: usize) -> Read<Self> {
        let broken = Broken {
            offset: position,
            what: "table",
        };
        let distance = bytes.i32(position, "table")?;
        let vtable = i64::try_from(position)
            .ok()
            .and_then(|p| p.checked_sub(i64::from(distance)));
        let vtable = vtable.and_then(|v| usize::try_from(v).ok()).ok_or(broken)?;
        let vtable_len = usize::from(bytes.u16(vtable, "vtable")?);
        if vtable_len < 4 || bytes.0.len() < vtable.saturating_add(vtable_len) {
            return Err(Broken {
                offset: vtable,
                what: "vtable",
            });
        }
        Ok(Self {
            bytes,
            position,
            vtable,
            vtable_len,
        })
    }

    /// Byte position of a field, `None` when the file leaves it at its default.
    fn field(&self, number: usize, what: &'static str) -> Read<Option<usize>> {
        let entry = 4 + 2 * number;
        if entry + 2 > self.vtable_len {
            return Ok(None);
        }
        let offset = usize::from(self.bytes.u16(self.vtable + entry, what)?);
        Ok((offset != 0).then_some(self.position + offset))
    }

    /// An 8-bit scalar, or its default.
    pub fn u8(&self, number: usize, default: u8, what: &'static str) -> Read<u8> {
        match self.field(number, what)? {
            Some(position) => self.bytes.array::<1>(position, what).map(|[byte]| byte),
            None => Ok(default),
        }
    }

    /// A 32-bit scalar, or its default.
    pub fn i32(&self, number: usize, default: i32, what: &'static str) -> Read<i32> {
        match self.field(number, what)? {
            Some(position) => self.bytes.i32(position, what),
            None => Ok(default),
        }
    }

    /// A 32-bit unsigned scalar, or its default.
    pub fn u32(&self, number: usize, default: u32, what: &'static str) -> Read<u32> {
        match self.field(number, what)? {
            Some(position) => self.bytes.u32(position, what),
            None => Ok(default),
        }
    }

    /// A nested table.
    pub fn table(&self, number: usize, what: &'static str) -> Read<Option<Table<'a>>> {
        match self.field(number, what)? {
            Some(position) => Table::at(self.bytes, self.bytes.follow(position, what)?).map(Some),
            None => Ok(None),
        }
    }

    /// A vector whose elements take `element_size` bytes; an absent one is empty.
    fn vector(&self, number: usize, element_size: usize, what: &'static str) -> Read<(usize, usize)> {
        let Some(position) = self.field(number, what)? else {
            return Ok((0, 0));
        };
        let start = self.bytes.follow(position, what)?;
        let len = self.bytes.u32(start, what)? as usize;
        let fits = len
            .checked_mul(element_size)
            .and_then(|size| size.checked_add(start + 4))
            .is_some_and(|end| end <= self.bytes.0.len());
        if fits {
            Ok((start + 4, len))
        } else {
            Err(Broken { offset: start, what })
        }
    }

    /// A vector of bytes, borrowed from the file.
    pub fn byte_vector(&self, number: usize, what: &'static str) -> Read<&'a [u8]> {
        let (start, len) = self.vector(number, 1, what)?;
        self.bytes
            .0
            .get(start..start + len)
            .ok_or(Broken { offset: start, what })
    }

    /// A vector of 16-bit unsigned integers.
    pub fn u16_vector(&self, number: usize, what: &'static str) -> Read<Vec<u16>> {
        let (start, len) = self.vector(number, 2, what)?;
        (0..len).map(|i| self.bytes.u16(start + 2 * i, what)).collect()
    }

    /// A vector of 32-bit integers.
    pub fn i32_vector(&self, number: usize, what: &'static str) -> Read<Vec<i32>> {
        let (start, len) = self.vector(number, 4, what)?;
        (0..len).map(|i| self.bytes.i32(start + 4 * i, what)).collect()
    }

    /// A vector of tables.
    pub fn table_vector(&self, number: usize, what: &'static str) -> Read<Vec<Table<'a>>> {
        let (start, len) = self.vector(number, 4, what)?;
        (0..len)
            .map(|i| Table::at(self.bytes, self.bytes.follow(start + 4 * i, what)?))
            .collect()
    }

    /// A string; bytes that are not UTF-8 are replaced, because names are only shown.
    pub fn string(&self, number: usize, what: &'static str) -> Read<String> {
        Ok(String::from_utf8_lossy(self.byte_vector(number, what)?).into_owned())
    }
}
