create trigger fee_schedule_is_not_changed before update on fee_schedule
begin select raise(abort, 'a version of a fee schedule never changes'); end;
create trigger fee_schedule_is_not_deleted before delete on fee_schedule
begin select raise(abort, 'a version of a fee schedule never goes away'); end;
create trigger price_is_not_changed before update on price
begin select raise(abort, 'a published price never changes'); end;
create trigger price_is_not_deleted before delete on price
begin select raise(abort, 'a published price never goes away'); end;
