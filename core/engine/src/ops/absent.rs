//! What stands for every family of tensor operators in a program that is built without the feature `tensor_ops`: it
//! refuses them, wherever they come from, and pulls in none of their code.

use super::{CpuKernel, Family, NodeView, OnCpu, OnGpu, Type, TypeRef};
use crate::error::ModelError;
use crate::gpu::record::Recorder;
use crate::gpu::shader::Kernel;
use crate::graph_file::Writer;

/// Why, and what to do.
pub(crate) const SENTENCE: &str =
    "this program is built without tensor operators; the engine's feature `tensor_ops` brings them";

/// A tensor operator of whatever family.
pub(super) struct Absent;

impl Family for Absent {
    fn name(&self) -> &'static str {
        "tensor operator"
    }

    fn infer(&self, _operands: &[TypeRef<'_>]) -> Result<Type, String> {
        Err(SENTENCE.to_owned())
    }

    fn macs(&self, _operands: &[TypeRef<'_>], _result: &Type) -> u64 {
        0
    }

    fn write(&self, _file: &mut Writer) {}
}

impl OnCpu for Absent {
    fn prepare(&self, node: &NodeView<'_>) -> Result<Box<dyn CpuKernel>, ModelError> {
        Err(ModelError::unsupported(&node.node.origin, SENTENCE))
    }
}

impl OnGpu for Absent {
    fn record(&self, node: &NodeView<'_>, _recorder: &mut Recorder<'_>) -> Result<Vec<Kernel>, ModelError> {
        Err(ModelError::unsupported(&node.node.origin, SENTENCE))
    }
}
