//! What a guest may use, and the error that tells which limit it passed.

use wasmtime::ResourceLimiter;

use super::engine::MEMORIES_PER_CALL;
use crate::batch::LimitKind;
use crate::settings::Limits;

/// A guest asked for more than it may have. It traps with this.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub(super) struct Exceeded {
    pub(super) kind: LimitKind,
    pub(super) text: String,
}

/// Bounds memories and tables by their sums. (`StoreLimits` bounds each one
/// alone.)
pub(super) struct Limiter {
    memory_most: usize,
    memory: usize,
    elements_most: usize,
    elements: usize,
    instances: usize,
}

impl Limiter {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            memory_most: (limits.memory_mb as usize) << 20,
            memory: 0,
            elements_most: limits.table_elements as usize,
            elements: 0,
            instances: limits.instances as usize,
        }
    }

    /// The linear memory in use, in bytes. Memory never shrinks, so this is
    /// the peak too.
    pub(super) fn memory_bytes(&self) -> usize {
        self.memory
    }
}

impl ResourceLimiter for Limiter {
    fn memory_growing(&mut self, current: usize, desired: usize, own_most: Option<usize>) -> wasmtime::Result<bool> {
        if own_most.is_some_and(|most| desired > most) {
            // wasmtime refuses it by the type, after asking here: not to be
            // counted.
            return Ok(false);
        }
        let total = self.memory.saturating_add(desired.saturating_sub(current));
        if total > self.memory_most {
            // A trap, where the guest would see only that growing failed: the
            // reason reaches the log instead of an allocator's abort.
            let text = format!("asked for {total} bytes of memory, and may have {}", self.memory_most);
            return Err(Exceeded { kind: LimitKind::Memory, text }.into());
        }
        self.memory = total;
        Ok(true)
    }

    fn table_growing(&mut self, current: usize, desired: usize, own_most: Option<usize>) -> wasmtime::Result<bool> {
        if own_most.is_some_and(|most| desired > most) {
            // wasmtime refuses it by the type, after asking here: not to be
            // counted.
            return Ok(false);
        }
        let total = self.elements.saturating_add(desired.saturating_sub(current));
        if total > self.elements_most {
            let text = format!("asked for {total} table elements, and may have {}", self.elements_most);
            return Err(Exceeded { kind: LimitKind::Tables, text }.into());
        }
        self.elements = total;
        Ok(true)
    }

    fn instances(&self) -> usize {
        self.instances
    }

    fn tables(&self) -> usize {
        self.instances
    }

    fn memories(&self) -> usize {
        MEMORIES_PER_CALL as usize
    }
}
