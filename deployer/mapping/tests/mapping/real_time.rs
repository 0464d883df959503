//! The mapping as a task of tokio, in real time, as dev mode runs it.

use gristmill_mapping::testing::{
    MemoryDestination, MemoryPositions, MemoryStream, MemoryTrace, START, ScriptedTarget, UUID, VirtualClock,
    parameters, succeed,
};
use gristmill_mapping::{Configuration, Handle, Ports, Settings, TokioClock, run};

use super::*;

#[test]
fn it_runs_as_a_task_of_tokio_and_stops_when_it_is_told() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async {
        let clock = VirtualClock::at(START);
        let stream = MemoryStream::new(clock.clone());
        let (handle, task) = started(&parameters(), stream.clone(), clock).await;
        for n in 1..=3 {
            stream.put("1");
            handle.poll_now();
            let delivered = async {
                while handle.counts().delivered < n {
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
            };
            tokio::time::timeout(seconds(30), delivered).await.unwrap();
        }
        handle.stop();
        tokio::time::timeout(seconds(30), task).await.unwrap().unwrap();
    });
}

#[test]
fn a_stream_that_never_makes_it_wait_leaves_others_their_turn() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async {
        let clock = VirtualClock::at(START);
        let stream = MemoryStream::new(clock.clone());
        for n in 0..10_000 {
            stream.put(&n.to_string());
        }
        let parameters = gristmill_mapping::Parameters { batch_size: Some(1), ..parameters() };
        let (handle, task) = started(&parameters, stream, clock).await;
        let mut turns = 0;
        while handle.counts().delivered < 10_000 {
            tokio::task::yield_now().await;
            turns += 1;
        }
        assert!(turns > 10, "{turns} turns");
        handle.stop();
        task.await.unwrap();
    });
}

/// A mapping that runs in real time, to a target that succeeds.
async fn started(
    parameters: &gristmill_mapping::Parameters,
    stream: MemoryStream,
    clock: VirtualClock,
) -> (Handle, tokio::task::JoinHandle<()>) {
    let positions = MemoryPositions::default();
    let configuration = Configuration::create(parameters).unwrap();
    let handle = Handle::open(configuration, Settings::new(UUID, 1), &positions, &TokioClock).await.unwrap();
    let ports = Ports {
        source: stream,
        target: ScriptedTarget::new(clock, |_| succeed()),
        destination: MemoryDestination::default(),
        positions,
        clock: TokioClock,
        trace: MemoryTrace::default(),
    };
    let task = tokio::spawn(run(ports, handle.clone()));
    (handle, task)
}
