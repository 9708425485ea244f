//! Writes small TFLite files for tests: parents before children, which FlatBuffers allows because all its offsets
//! point forward.

/// A field of a table.
pub enum Field {
    /// Left at its default.
    Absent,
    Byte(u8),
    Int(i32),
    Bytes(Vec<u8>),
    Ints(Vec<i32>),
    Table(Vec<Field>),
    Tables(Vec<Vec<Field>>),
}

impl Field {
    /// A string is a vector of bytes.
    pub fn text(text: &str) -> Self {
        Field::Bytes(text.as_bytes().to_vec())
    }
}

/// A whole file with the given root table.
pub fn file(root: Vec<Field>) -> Vec<u8> {
    let mut out = vec![0; 4];
    out.extend_from_slice(b"TFL3");
    let position = table(&mut out, &root);
    out[..4].copy_from_slice(&(position as u32).to_le_bytes());
    out
}

fn align(out: &mut Vec<u8>) {
    out.resize(out.len().next_multiple_of(4), 0);
}

fn table(out: &mut Vec<u8>, fields: &[Field]) -> usize {
    align(out);
    let vtable = out.len();
    out.extend_from_slice(&((4 + 2 * fields.len()) as u16).to_le_bytes());
    out.extend_from_slice(&((4 + 4 * fields.len()) as u16).to_le_bytes());
    for (index, field) in fields.iter().enumerate() {
        let offset = if matches!(field, Field::Absent) {
            0
        } else {
            4 + 4 * index as u16
        };
        out.extend_from_slice(&offset.to_le_bytes());
    }
    align(out);
    let position = out.len();
    out.extend_from_slice(&((position - vtable) as i32).to_le_bytes());
    let slots: Vec<usize> = (0..fields.len()).map(|index| position + 4 + 4 * index).collect();
    out.resize(position + 4 + 4 * fields.len(), 0);
    for (field, slot) in fields.iter().zip(slots) {
        let child = match field {
            Field::Absent => continue,
            Field::Byte(value) => {
                out[slot] = *value;
                continue;
            }
            Field::Int(value) => {
                out[slot..slot + 4].copy_from_slice(&value.to_le_bytes());
                continue;
            }
            Field::Bytes(bytes) => vector(out, bytes.len(), bytes),
            Field::Ints(ints) => vector(
                out,
                ints.len(),
                &ints.iter().flat_map(|int| int.to_le_bytes()).collect::<Vec<u8>>(),
            ),
            Field::Table(fields) => table(out, fields),
            Field::Tables(tables) => {
                let start = vector(out, tables.len(), &vec![0; 4 * tables.len()]);
                for (index, fields) in tables.iter().enumerate() {
                    let slot = start + 4 + 4 * index;
                    let child = table(out, fields);
                    out[slot..slot + 4].copy_from_slice(&((child - slot) as u32).to_le_bytes());
                }
                start
            }
        };
        out[slot..slot + 4].copy_from_slice(&((child - slot) as u32).to_le_bytes());
    }
    position
}

fn vector(out: &mut Vec<u8>, len: usize, bytes: &[u8]) -> usize {
    align(out);
    let start = out.len();
    out.extend_from_slice(&(len as u32).to_le_bytes());
    out.extend_from_slice(bytes);
    align(out);
    start
}
