create function audit_refuses_change() returns trigger language plpgsql as
$$ begin raise exception 'audit rows never change or go'; end $$;
create trigger audit_is_append_only before update or delete or truncate on audit
for each statement execute function audit_refuses_change();
