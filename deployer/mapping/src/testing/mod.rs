//! Fixtures to test a target, a mapping's settings or the mapping itself with:
//! a stream in memory, targets that answer as a test says, and virtual time.
//!
//! A [`Rig`] has them all together:
//!
//! ```
//! use std::time::Duration;
//!
//! use gristmill_mapping::Parameters;
//! use gristmill_mapping::testing::{Rig, naming, parameters, succeed};
//!
//! let parameters = Parameters {
//!     function_response_types: Some(vec!["ReportBatchItemFailures".to_owned()]),
//!     ..parameters()
//! };
//! // The second record fails at its first try.
//! let mut failed = false;
//! let mut rig = Rig::new(parameters, move |call| match call.sequence_numbers.get(1) {
//!     Some(second) if !std::mem::replace(&mut failed, true) => naming(second),
//!     _ => succeed(),
//! });
//! rig.stream.put("a");
//! rig.stream.put("b");
//! rig.advance(Duration::from_secs(1));
//! assert_eq!(rig.counts().delivered, 2);
//! ```

mod clock;
mod kept;
mod stream;
mod target;

use std::future::Future;
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

pub use clock::VirtualClock;
pub use kept::{MemoryDestination, MemoryPositions, MemoryTrace};
pub use stream::{ITERATOR_LIFE, MemoryStream, RETENTION, STREAM_ARN};
pub use target::{Call, ScriptedTarget, function_error, naming, succeed};

use crate::configuration::{Configuration, Parameters};
use crate::driver::{Handle, Ports, run};
use crate::machine::{Counts, Settings};
use crate::target::Answer;
use crate::{ApiError, Timestamp};

/// When a rig's time begins: 2026-09-14T00:00:00Z.
pub const START: Timestamp = Timestamp::from_ms(1_789_344_000_000);

/// The UUID of a rig's mapping.
pub const UUID: &str = "8c6ae4ad-0000-4000-8000-000000000005";

/// What a mapping on [`STREAM_ARN`] must have, and AWS's defaults.
pub fn parameters() -> Parameters {
    Parameters {
        event_source_arn: Some(STREAM_ARN.to_owned()),
        function_name: Some("handlers".to_owned()),
        starting_position: Some("TRIM_HORIZON".to_owned()),
        ..Parameters::default()
    }
}

/// A mapping between a stream and a target, in virtual time.
pub struct Rig {
    /// The time.
    pub clock: VirtualClock,
    /// The stream.
    pub stream: MemoryStream,
    /// The function.
    pub target: ScriptedTarget,
    /// The failure documents.
    pub destination: MemoryDestination,
    /// The positions.
    pub positions: MemoryPositions,
    /// The decisions.
    pub trace: MemoryTrace,
    handle: Handle,
    running: Pin<Box<dyn Future<Output = ()>>>,
    configuration: Configuration,
    settings: Settings,
}

impl Rig {
    /// A mapping that has just been made, on a stream with one shard. `answer`
    /// is asked at the end of each invoke.
    ///
    /// # Panics
    ///
    /// When the parameters are refused.
    pub fn new(parameters: Parameters, answer: impl FnMut(&Call) -> Answer + Send + 'static) -> Self {
        Self::with(parameters, Settings::new(UUID, 1), answer)
    }

    /// The same with settings of one's own.
    ///
    /// # Panics
    ///
    /// When the parameters are refused.
    pub fn with(
        parameters: Parameters,
        settings: Settings,
        answer: impl FnMut(&Call) -> Answer + Send + 'static,
    ) -> Self {
        let configuration = Configuration::create(&parameters);
        let configuration = configuration.unwrap_or_else(|error| panic!("the parameters are refused: {error}"));
        let clock = VirtualClock::at(START);
        let stream = MemoryStream::new(clock.clone());
        let target = ScriptedTarget::new(clock.clone(), answer);
        let (destination, positions) = (MemoryDestination::default(), MemoryPositions::default());
        let trace = MemoryTrace::default();
        let ports = Ports {
            source: stream.clone(),
            target: target.clone(),
            destination: destination.clone(),
            positions: positions.clone(),
            clock: clock.clone(),
            trace: trace.clone(),
        };
        let (handle, running) = start(ports, &configuration, &settings);
        Self { clock, stream, target, destination, positions, trace, handle, running, configuration, settings }
    }

    /// Lets time pass. What happens in it happens.
    pub fn advance(&mut self, time: Duration) {
        self.clock.advance(time, self.running.as_mut());
    }

    /// Lets time pass until the mapping has ended, at most so long; says
    /// whether it has.
    pub fn advance_to_end(&mut self, time: Duration) -> bool {
        self.clock.advance(time, self.running.as_mut())
    }

    /// Kills the mapping where it stands and starts it again from its
    /// positions.
    pub fn restart(&mut self) {
        self.configuration = self.configuration.changed(&self.handle_parameters()).unwrap_or_else(|e| panic!("{e}"));
        self.settings.seed = self.settings.seed.wrapping_add(0x5eed);
        let ports = Ports {
            source: self.stream.clone(),
            target: self.target.clone(),
            destination: self.destination.clone(),
            positions: self.positions.clone(),
            clock: self.clock.clone(),
            trace: self.trace.clone(),
        };
        (self.handle, self.running) = start(ports, &self.configuration, &self.settings);
    }

    fn handle_parameters(&self) -> Parameters {
        self.handle.configuration().parameters()
    }

    /// Changes parameters in place.
    ///
    /// # Errors
    ///
    /// As [`Handle::update`].
    pub fn update(&self, parameters: &Parameters) -> Result<(), ApiError> {
        self.handle.update(crate::Clock::now(&self.clock), parameters)
    }

    /// Switches the mapping on or off.
    ///
    /// # Panics
    ///
    /// When it is being deleted.
    pub fn enable(&self, enabled: bool) {
        let parameters = Parameters { enabled: Some(enabled), ..Parameters::default() };
        self.update(&parameters).unwrap_or_else(|error| panic!("{error}"));
    }

    /// The mapping, to look at and to change.
    pub fn handle(&self) -> &Handle {
        &self.handle
    }

    /// What became of the records since the mapping was last started.
    pub fn counts(&self) -> Counts {
        self.handle.counts()
    }
}

fn start(
    ports: Ports<MemoryStream, ScriptedTarget, MemoryDestination, MemoryPositions, VirtualClock, MemoryTrace>,
    configuration: &Configuration,
    settings: &Settings,
) -> (Handle, Pin<Box<dyn Future<Output = ()>>>) {
    let clock = ports.clock.clone();
    let opened = clock.run(Handle::open(configuration.clone(), settings.clone(), &ports.positions, &ports.clock));
    let handle = opened.unwrap_or_else(|error| panic!("{error}"));
    (handle.clone(), Box::pin(run(ports, handle)))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
