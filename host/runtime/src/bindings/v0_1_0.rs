wasmtime::component::bindgen!({
    path: "../../sdk/wit/0.1.0",
    world: "qiao:plugin/plugin@0.1.0",
    imports: { default: trappable },
});
