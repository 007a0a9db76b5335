fun show(api: Api) {
    val first = api.user(1, fresh = true)
    val user = api.user(▏)
}
