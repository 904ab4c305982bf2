use crate::LogLevel;
use crate::bindings::v0_1_0::qiao::host::log::{Host, Level};
use crate::guest::Guest;

impl Host for Guest {
    fn write(&mut self, level: Level, message: String) -> wasmtime::Result<()> {
        self.meter.host_call()?;
        let level = match level {
            Level::Debug => LogLevel::Debug,
            Level::Info => LogLevel::Info,
            Level::Warn => LogLevel::Warn,
            Level::Error => LogLevel::Error,
        };
        Ok(self.meter.log(level, message)?)
    }
}
