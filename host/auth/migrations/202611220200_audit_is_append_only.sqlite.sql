create trigger audit_is_not_updated before update on audit
begin select raise(abort, 'audit rows never change'); end;
create trigger audit_is_not_deleted before delete on audit
begin select raise(abort, 'audit rows never go'); end;
