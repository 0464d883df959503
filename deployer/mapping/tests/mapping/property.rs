//! Random streams, splits, answers, faults and settings. The number of cases of
//! each test is 256; `PROPTEST_CASES` sets another.

mod truth;

use gristmill_mapping::testing::{Rig, UUID, parameters};
use gristmill_mapping::{Parameters, Settings, SourceError, Timestamp};
use proptest::prelude::*;

use super::*;
use truth::{Habits, Truth};

/// What happens to the stream and the mapping, besides time.
#[derive(Clone, Debug)]
enum Step {
    Put { item: u8, red: bool, old: bool },
    Advance(u64),
    Split(usize),
    Roll(usize),
    ExpireIterators,
    Fault(u8),
    DestinationFails(u32),
    PositionsFail(u32),
    // Only in some tests.
    Toggle,
    Restart,
    Update(Box<Parameters>),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        20 => (0..5u8, any::<bool>(), proptest::bool::weighted(0.1))
            .prop_map(|(item, red, old)| Step::Put { item, red, old }),
        8 => prop_oneof![0..600u64, 600..30_000u64].prop_map(Step::Advance),
        1 => any::<usize>().prop_map(Step::Split),
        1 => any::<usize>().prop_map(Step::Roll),
        1 => Just(Step::ExpireIterators),
        1 => any::<u8>().prop_map(Step::Fault),
        1 => (1..4u32).prop_map(Step::DestinationFails),
        1 => (1..4u32).prop_map(Step::PositionsFail),
    ]
}

/// Settings that can also be changed in place, but for the response type: what
/// an answer means is the oracle's, too.
fn change() -> impl Strategy<Value = Parameters> {
    let sizes = (prop_oneof![1..6i64, Just(100)], prop_oneof![3 => Just(0), 1 => 1..4i64], 1..4i64);
    let limits = (prop_oneof![Just(-1), 0..4i64], prop_oneof![Just(-1), Just(60)], any::<bool>(), any::<bool>());
    (sizes, limits).prop_map(|((size, window, factor), (retries, age, bisect, filtered))| {
        let red = r#"{"dynamodb":{"NewImage":{"color":{"S":["red"]}}}}"#;
        Parameters {
            batch_size: Some(size),
            maximum_batching_window_in_seconds: Some(window),
            parallelization_factor: Some(factor),
            maximum_retry_attempts: Some(retries),
            maximum_record_age_in_seconds: Some(age),
            bisect_batch_on_function_error: Some(bisect),
            filter_criteria: if filtered { filter(red) } else { Some(Default::default()) },
            ..Parameters::default()
        }
    })
}

fn settings() -> impl Strategy<Value = Parameters> {
    (change(), any::<bool>()).prop_map(|(change, reports)| Parameters {
        function_response_types: if reports { reporting() } else { None },
        destination_config: with_destination(BUCKET).destination_config,
        event_source_arn: parameters().event_source_arn,
        function_name: parameters().function_name,
        starting_position: parameters().starting_position,
        ..change
    })
}

struct Run {
    rig: Rig,
    truth: Truth,
    enabled: bool,
}

impl Run {
    fn new(parameters: Parameters, habits: Habits, lose_answers_per_mille: u16) -> Self {
        let reports = parameters.function_response_types.is_some();
        let truth = Truth::new(reports);
        // Most of the time of a run is polls of a stream that is empty.
        let poll_interval = Duration::from_millis(2_300);
        let settings = Settings { lose_answers_per_mille, poll_interval, ..Settings::new(UUID, habits.seed) };
        let mut rig = Rig::with(parameters, settings, truth.answer(habits.clone()));
        rig.target.takes(Duration::from_millis(habits.takes_ms));
        truth.watch(&mut rig);
        Self { rig, truth, enabled: true }
    }

    fn take(&mut self, step: &Step) {
        let rig = &mut self.rig;
        match step {
            Step::Put { item, red, old } => {
                let color = if *red { "red" } else { "blue" };
                let now = gristmill_mapping::Clock::now(&rig.clock).ms();
                let at = if *old { now - 100_000 } else { now };
                let image = format!(r#","color":{{"S":"{color}"}}"#);
                let number = rig.stream.put_at(&format!("k{item}"), &image, Timestamp::from_ms(at));
                let shard = rig.stream.shard_of(&number).unwrap();
                self.truth.put(number, *item, *red, shard);
            }
            Step::Advance(ms) => rig.advance(Duration::from_millis(*ms)),
            Step::Split(which) => {
                let open = rig.stream.open_shards();
                if open.len() < 6 {
                    rig.stream.split(&open[which % open.len()]);
                }
            }
            Step::Roll(which) => {
                let open = rig.stream.open_shards();
                rig.stream.roll(&open[which % open.len()]);
            }
            Step::ExpireIterators => rig.stream.expire_iterators(),
            Step::Fault(which) => rig.stream.fail(match which % 5 {
                0 => SourceError::ExpiredIterator,
                1 => SourceError::Throttled,
                2 => SourceError::AccessDenied("on request".to_owned()),
                3 => SourceError::TrimmedDataAccess,
                _ => SourceError::ResourceNotFound("on request".to_owned()),
            }),
            Step::DestinationFails(times) => rig.destination.fail(*times),
            Step::PositionsFail(times) => rig.positions.fail(*times),
            Step::Toggle => {
                self.enabled = !self.enabled;
                rig.enable(self.enabled);
            }
            Step::Restart => rig.restart(),
            Step::Update(parameters) => rig.update(parameters).unwrap(),
        }
    }

    /// The faults end, the target heals, and all that is left is done.
    fn finish(&mut self) {
        self.rig.enable(true);
        self.rig.advance(seconds(300));
        self.rig.target.answer(self.truth.answer(Habits::healed()));
        self.rig.advance(seconds(600));
        self.truth.take_in(&self.rig);
    }
}

proptest! {
    /// Delivered, filtered, in the destination or expired: one of them, once,
    /// and the four add up. Order per item and the position are watched at
    /// each call and each write.
    #[test]
    fn each_record_has_one_fate(
        steps in proptest::collection::vec(step(), 1..60),
        parameters in settings(),
        habits in Habits::any(),
    ) {
        let filtered = !parameters.filter_criteria.as_ref().unwrap().filters.is_empty();
        let bisects = parameters.bisect_batch_on_function_error == Some(true);
        let retries = parameters.maximum_retry_attempts.and_then(|most| usize::try_from(most).ok());
        let mut run = Run::new(parameters, habits, 0);
        steps.iter().for_each(|step| run.take(step));
        run.finish();

        let fates = run.truth.fates();
        prop_assert!(fates.wrong.is_empty(), "{:?}", fates.wrong);
        let counts = run.rig.counts();
        let records = fates.records as u64;
        prop_assert_eq!(fates.delivered + fates.filtered + fates.exhausted + fates.expired, fates.records);
        prop_assert_eq!(counts.delivered, fates.delivered as u64);
        prop_assert_eq!(counts.filtered, fates.filtered as u64);
        prop_assert_eq!(counts.exhausted, fates.exhausted as u64);
        prop_assert_eq!(counts.expired, fates.expired as u64);
        prop_assert_eq!(counts.read - counts.skipped, records);
        prop_assert_eq!(fates.filtered, if filtered { fates.blue } else { 0 });
        run.truth.check_request_ids(&run.rig, bisects, retries)?;
    }

    /// Over pauses, restarts, changes in place and lost answers, a record may
    /// come twice, and never not at all.
    #[test]
    fn nothing_is_lost_over_restarts_pauses_and_changes(
        steps in proptest::collection::vec(
            prop_oneof![
                8 => step(),
                1 => Just(Step::Toggle),
                1 => Just(Step::Restart),
                1 => change().prop_map(|change| Step::Update(Box::new(change))),
            ],
            1..60,
        ),
        parameters in settings(),
        habits in Habits::any(),
        lost in prop_oneof![Just(0u16), Just(200)],
    ) {
        let mut run = Run::new(parameters, habits, lost);
        steps.iter().for_each(|step| run.take(step));
        run.finish();
        let fates = run.truth.fates();
        prop_assert!(fates.wrong.iter().all(|wrong| wrong.contains("twice")), "{:?}", fates.wrong);
    }

    /// Each record that was delivered is in the state of exactly one window.
    #[test]
    fn the_states_of_tumbling_windows_add_up(
        steps in proptest::collection::vec(step(), 1..60),
        parameters in settings(),
        habits in Habits::any(),
        window in 1..40i64,
    ) {
        let parameters = Parameters {
            tumbling_window_in_seconds: Some(window),
            parallelization_factor: None,
            filter_criteria: None,
            ..parameters
        };
        let mut run = Run::new(parameters, Habits { in_window: true, ..habits }, 0);
        steps.iter().for_each(|step| run.take(step));
        run.rig.target.answer(run.truth.answer(Habits { in_window: true, ..Habits::healed() }));
        run.rig.advance(seconds(700));
        // The end of every shard closes its window.
        run.rig.stream.disable();
        run.rig.advance(seconds(100));
        run.truth.take_in(&run.rig);
        let fates = run.truth.fates();
        prop_assert!(fates.wrong.is_empty(), "{:?}", fates.wrong);
        prop_assert_eq!(run.truth.in_windows(), fates.delivered as u64);
    }
}
