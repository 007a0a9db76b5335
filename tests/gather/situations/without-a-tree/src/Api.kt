class Api(val base: String) {
    fun user(id: Int, fresh: Boolean = false): User = TODO()
}
