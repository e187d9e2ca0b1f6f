//! Whether somebody waits for memory that the answers of others take.

use std::{sync::Arc, time::Duration};

use tokio::{sync::watch, time::timeout};

use crate::{Room, Rooms};

/// How long somebody waits before the slowest readers lose their answers.
const PRESSED_AFTER: Duration = Duration::from_secs(2);

/// Shared by a server's connections and by those who wait for memory of answers.
#[derive(Debug, Clone)]
pub struct Pressure(Arc<watch::Sender<usize>>);

/// Somebody waits until this is dropped.
struct Waiting<'a>(&'a Pressure);

impl Default for Pressure {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(0)))
    }
}

impl Pressure {
    /// Waits for a part of a budget that untaken answers use up. A request that waits for what other principals hold, and not for
    /// what its own does, puts the connections under pressure: those who take an answer too slowly lose it then.
    pub async fn room(&self, rooms: &Arc<Rooms>, principal: &str, units: usize) -> Room {
        let mut room = std::pin::pin!(rooms.room(principal, units));
        loop {
            if let Ok(room) = timeout(PRESSED_AFTER, &mut room).await {
                return room;
            }
            if rooms.may_hold(principal, units) {
                let _waiting = self.wait();
                return room.await;
            }
        }
    }

    pub(crate) fn watch(&self) -> watch::Receiver<usize> {
        self.0.subscribe()
    }

    fn wait(&self) -> Waiting<'_> {
        self.0.send_modify(|waiting| *waiting += 1);
        Waiting(self)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.0.send_modify(|waiting| *waiting -= 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Most;

    #[tokio::test(start_paused = true)]
    async fn who_waits_for_what_others_hold_presses_and_who_waits_for_its_own_does_not() {
        let (pressure, rooms) = (Pressure::default(), Rooms::new(4, Most::Always(2)));
        let mut watch = pressure.watch();
        let second = Duration::from_secs(1);
        let own = rooms.room("awa", 2).await;
        assert!(timeout(10 * second, pressure.room(&rooms, "awa", 1)).await.is_err());
        assert!(!watch.has_changed().unwrap(), "awa waits for its own");
        let others = rooms.room("kofi", 2).await;
        assert!(timeout(second, pressure.room(&rooms, "zainab", 1)).await.is_err());
        assert!(!watch.has_changed().unwrap(), "zainab has not waited long");
        let waits = timeout(10 * second, pressure.room(&rooms, "zainab", 1));
        let pressed = async {
            watch.changed().await.unwrap();
            assert_eq!(*watch.borrow_and_update(), 1);
            drop(others);
        };
        let (room, ()) = tokio::join!(waits, pressed);
        room.unwrap();
        assert_eq!(*watch.borrow_and_update(), 0);
        drop(own);
    }
}
