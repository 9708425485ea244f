//! Where the stored elements of a sparse TFLite tensor lie in the dense one.
//!
//! A sparse tensor is stored level by level in its traversal order; a level is either dense or compressed (segments
//! and indices, as in CSR). Levels beyond the tensor's rank are the inside of blocks: block dimension `k` refines
//! the original dimension `block_map[k]`. Source of the format: `SparsityParameters` in the TFLite schema.

use super::flatbuffer::{Broken, Read, Table};

/// One storage level.
enum Level {
    Dense(usize),
    Compressed {
        segments: Vec<usize>,
        indices: Vec<usize>,
    },
}

/// Positions (row-major, dense) of all stored elements, in storage order.
///
/// `shape` is the dense shape, `stored` the number of elements in the buffer. Fails when the description
/// contradicts either, so that every position returned is smaller than the product of `shape`.
pub fn positions(sparsity: &Table<'_>, shape: &[usize], stored: usize) -> Read<Vec<u32>> {
    let broken = |what| Broken { offset: 0, what };
    let indices_of = |numbers: Vec<i32>, what| -> Read<Vec<usize>> {
        numbers
            .into_iter()
            .map(|n| usize::try_from(n).map_err(|_| broken(what)))
            .collect()
    };
    let order = indices_of(
        sparsity.i32_vector(0, "sparsity.traversal_order")?,
        "sparsity.traversal_order",
    )?;
    let block_map = indices_of(
        sparsity.i32_vector(1, "sparsity.block_map")?,
        "sparsity.block_map",
    )?;
    let levels = sparsity
        .table_vector(2, "sparsity.dim_metadata")?
        .iter()
        .map(read_level)
        .collect::<Read<Vec<Level>>>()?;

    let rank = shape.len();
    let depth = rank + block_map.len();
    if order.len() != depth || levels.len() != depth || block_map.iter().any(|&dim| dim >= rank) {
        return Err(broken("sparsity.traversal_order"));
    }
    let mut seen = vec![false; depth];
    for &dim in &order {
        match seen.get_mut(dim) {
            Some(flag) if !*flag => *flag = true,
            _ => return Err(broken("sparsity.traversal_order")),
        }
    }

    // Factor by which a coordinate of each traversed dimension moves the dense position.
    let mut dense_strides = vec![1usize; rank];
    for dim in (0..rank.saturating_sub(1)).rev() {
        dense_strides[dim] = dense_strides[dim + 1] * shape[dim + 1];
    }
    let mut block_sizes = vec![1usize; rank];
    for (level, &dim) in levels.iter().zip(&order) {
        if dim >= rank {
            let Level::Dense(size) = level else {
                return Err(broken("sparsity.dim_metadata"));
            };
            let refined = block_map[dim - rank];
            block_sizes[refined] = block_sizes[refined]
                .checked_mul(*size)
                .filter(|&size| size <= shape[refined])
                .ok_or(broken("sparsity.dim_metadata"))?;
        }
    }
    let strides: Vec<usize> = order
        .iter()
        .map(|&dim| {
            if dim < rank {
                dense_strides[dim] * block_sizes[dim]
            } else {
                dense_strides[block_map[dim - rank]]
            }
        })
        .collect();

    let total: usize = shape.iter().product();
    // Offsets are checked step by step: on wasm32 their products can exceed usize.
    let advance = |position: usize, index: usize, stride: usize, what| {
        let moved = index
            .checked_mul(stride)
            .and_then(|step| step.checked_add(position));
        moved.filter(|&moved| moved < total).ok_or(broken(what))
    };
    // Each frontier entry is (row of the next level's storage, dense position so far).
    let mut frontier: Vec<(usize, usize)> = vec![(0, 0)];
    for (level, &stride) in levels.iter().zip(&strides) {
        let mut next = Vec::new();
        for &(row, position) in &frontier {
            match level {
                Level::Dense(size) => {
                    let what = "sparsity.dim_metadata";
                    let first = row
                        .checked_mul(*size)
                        .filter(|&first| first <= total)
                        .ok_or(broken(what))?;
                    if *size > total || next.len() + size > total {
                        return Err(broken(what));
                    }
                    for i in 0..*size {
                        next.push((first + i, advance(position, i, stride, what)?));
                    }
                }
                Level::Compressed { segments, indices } => {
                    let what = "sparsity.array_segments";
                    let (Some(&start), Some(&end)) = (segments.get(row), segments.get(row + 1)) else {
                        return Err(broken(what));
                    };
                    let entries = indices.get(start..end).ok_or(broken(what))?;
                    if next.len() + entries.len() > total {
                        return Err(broken(what));
                    }
                    for (i, &index) in entries.iter().enumerate() {
                        next.push((
                            start + i,
                            advance(position, index, stride, "sparsity.array_indices")?,
                        ));
                    }
                }
            }
        }
        frontier = next;
    }
    if frontier.len() != stored {
        return Err(broken("sparsity: stored elements"));
    }
    frontier
        .into_iter()
        .map(|(_, position)| u32::try_from(position).map_err(|_| broken("sparsity: dense size")))
        .collect()
}

fn read_level(level: &Table<'_>) -> Read<Level> {
    const DENSE: u8 = 0;
    let what = "sparsity.dim_metadata";
    if level.u8(0, DENSE, what)? == DENSE {
        let size = usize::try_from(level.i32(1, 0, what)?).map_err(|_| Broken { offset: 0, what })?;
        return Ok(Level::Dense(size));
    }
    Ok(Level::Compressed {
        segments: read_indices(level, 2)?,
        indices: read_indices(level, 4)?,
    })
}

/// Reads the union of index vectors whose type stands in field `number` and whose table stands in the next one.
fn read_indices(level: &Table<'_>, number: usize) -> Read<Vec<usize>> {
    const INT32: u8 = 1;
    const UINT16: u8 = 2;
    const UINT8: u8 = 3;
    let what = "sparsity index vector";
    let broken = Broken { offset: 0, what };
    let kind = level.u8(number, 0, what)?;
    let table = level.table(number + 1, what)?.ok_or(broken)?;
    match kind {
        INT32 => table
            .i32_vector(0, what)?
            .into_iter()
            .map(|index| usize::try_from(index).map_err(|_| broken))
            .collect(),
        UINT16 => Ok(table.u16_vector(0, what)?.into_iter().map(usize::from).collect()),
        UINT8 => Ok(table
            .byte_vector(0, what)?
            .iter()
            .map(|&index| usize::from(index))
            .collect()),
        _ => Err(broken),
    }
}
