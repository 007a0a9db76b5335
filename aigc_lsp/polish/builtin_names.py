"""The words that a language brings with it: keywords, builtins, and what is always there without an import.

Moderate on purpose: what stands in the standard library behind an import is named by that import, or asked of the
index. C's own library is here since an include names none of it.
"""

from __future__ import annotations

_PYTHON = """
ArithmeticError AssertionError AttributeError BaseException BaseExceptionGroup BlockingIOError BrokenPipeError
BufferError BytesWarning ChildProcessError ConnectionAbortedError ConnectionError ConnectionRefusedError
ConnectionResetError DeprecationWarning EOFError Ellipsis EncodingWarning EnvironmentError Exception ExceptionGroup
False FileExistsError FileNotFoundError FloatingPointError FutureWarning GeneratorExit IOError ImportError
ImportWarning IndentationError IndexError InterruptedError IsADirectoryError KeyError KeyboardInterrupt LookupError
MemoryError ModuleNotFoundError NameError None NotADirectoryError NotImplemented NotImplementedError OSError
OverflowError PendingDeprecationWarning PermissionError ProcessLookupError PythonFinalizationError RecursionError
ReferenceError ResourceWarning RuntimeError RuntimeWarning StopAsyncIteration StopIteration SyntaxError SyntaxWarning
SystemError SystemExit TabError TimeoutError True TypeError UnboundLocalError UnicodeDecodeError UnicodeEncodeError
UnicodeError UnicodeTranslateError UnicodeWarning UserWarning ValueError Warning ZeroDivisionError _ __all__
__builtins__ __class__ __debug__ __doc__ __file__ __import__ __name__ __package__ __path__ __spec__ __version__ abs
aiter all and anext any as ascii assert async await bin bool break breakpoint bytearray bytes callable case chr class
classmethod cls compile complex continue copyright credits def del delattr dict dir divmod elif else enumerate eval
except exec exit filter finally float for format from frozenset getattr global globals hasattr hash help hex id if
import in input int is isinstance issubclass iter lambda len license list locals map match max memoryview min next
nonlocal not object oct open or ord pass pow print property quit raise range repr return reveal_type reversed round
self set setattr slice sorted staticmethod str sum super try tuple type unicode vars while with yield zip
"""
_JAVASCRIPT = """
AbortController AbortSignal AggregateError Array ArrayBuffer Atomics Audio AudioContext BigInt BigInt64Array
BigUint64Array Blob Boolean BroadcastChannel Buffer ClipboardEvent CloseEvent CompressionStream Crypto CryptoKey
CustomEvent DOMException DOMParser DOMRect DataView Date DecompressionStream DocumentFragment DragEvent Element Error
ErrorEvent EvalError Event EventSource EventTarget File FileList FileReader FinalizationRegistry Float16Array
Float32Array Float64Array FocusEvent FormData Function HTMLAnchorElement HTMLButtonElement HTMLCanvasElement
HTMLDivElement HTMLElement HTMLFormElement HTMLImageElement HTMLInputElement HTMLSelectElement HTMLTextAreaElement
HTMLVideoElement Headers Image ImageBitmap ImageData Infinity InputEvent Int16Array Int32Array Int8Array
IntersectionObserver Intl Iterator JSON KeyboardEvent Map Math MediaRecorder MediaStream MessageChannel MessageEvent
MessagePort MouseEvent MutationObserver NaN Node NodeList Notification Number Object OffscreenCanvas Performance
PerformanceObserver PointerEvent ProgressEvent Promise PromiseRejectionEvent Proxy Range RangeError ReadableStream
ReferenceError Reflect RegExp Request ResizeObserver Response SVGElement Selection ServiceWorker Set SharedArrayBuffer
StorageEvent String Symbol SyntaxError TextDecoder TextDecoderStream TextEncoder TextEncoderStream TouchEvent
TransformStream TypeError URIError URL URLPattern URLSearchParams Uint16Array Uint32Array Uint8Array Uint8ClampedArray
VideoFrame WeakMap WeakRef WeakSet WebAssembly WebSocket WheelEvent Worker WritableStream XMLHttpRequest XMLSerializer
__dirname __filename abstract addEventListener after afterAll afterEach alert any arguments as assert asserts async
atob await before beforeAll beforeEach bigint boolean break btoa caches cancelAnimationFrame case catch class
clearImmediate clearInterval clearTimeout confirm console const constructor continue createImageBitmap crypto
customElements debugger declare decodeURI decodeURIComponent default delete describe dispatchEvent do document else
encodeURI encodeURIComponent enum escape eval expect export exports extends false fetch finally for from function get
getComputedStyle global globalThis history if implements import importScripts in indexedDB infer instanceof interface
is isFinite isNaN it jest keyof let localStorage location matchMedia module namespace navigator never new null number
object of out override package parseFloat parseInt performance postMessage private process prompt protected public
queueMicrotask readonly removeEventListener requestAnimationFrame requestIdleCallback require return satisfies screen
self sessionStorage set setImmediate setInterval setTimeout static string structuredClone suite super switch symbol
test this throw true try type typeof undefined unescape unique unknown using var vi void while window with yield
"""
_TYPESCRIPT = """
ArrayLike AsyncGenerator AsyncIterable AsyncIterator Awaited BlobPart BodyInit BufferSource Capitalize
ConstructorParameters EventListener Exclude Extract Generator HeadersInit InstanceType Iterable IterableIterator JSX
Lowercase NoInfer NodeJS NonNullable Omit OmitThisParameter Parameters Partial Pick PromiseLike PropertyDescriptor
PropertyKey React Readonly ReadonlyArray ReadonlyMap ReadonlySet Record RequestInit Required ResponseInit ReturnType
TemplateStringsArray ThisParameterType ThisType Uncapitalize Uppercase
"""
_JAVA = """
AbstractMethodError Appendable ArithmeticException ArrayIndexOutOfBoundsException ArrayStoreException AssertionError
AutoCloseable Boolean Byte CharSequence Character Class ClassCastException ClassLoader ClassNotFoundException
ClassValue CloneNotSupportedException Cloneable Comparable Deprecated Double Enum EnumConstantNotPresentException
Error Exception ExceptionInInitializerError Float FunctionalInterface IllegalAccessException IllegalArgumentException
IllegalMonitorStateException IllegalStateException IllegalThreadStateException IndexOutOfBoundsException
InheritableThreadLocal InstantiationException Integer InterruptedException Iterable LinkageError Long Math Module
NegativeArraySizeException NoClassDefFoundError NoSuchFieldException NoSuchMethodException NullPointerException Number
NumberFormatException Object OutOfMemoryError Override Package Process ProcessBuilder ProcessHandle Readable Record
ReflectiveOperationException Runnable Runtime RuntimeException SafeVarargs SecurityException Short StackOverflowError
StackTraceElement StackWalker StrictMath String StringBuffer StringBuilder StringIndexOutOfBoundsException
SuppressWarnings System Thread ThreadGroup ThreadLocal Throwable TypeNotPresentException UnsupportedOperationException
VirtualMachineError Void abstract android androidx assert boolean break byte case catch char class clone com const
continue default do double else enum equals exports extends false final finalize finally float for getCause getClass
getMessage goto hashCode if implements import instanceof int interface io java javax length long module name native
new non notify notifyAll null opens ordinal org package permits private protected provides public record requires
return sealed short static strictfp super switch synchronized this throw throws toString transient true try uses
valueOf values var void volatile wait when while with yield
"""
_GO = """
any append bool break byte cap case chan clear close comparable complex complex128 complex64 const continue copy
default defer delete else error fallthrough false float32 float64 for func go goto if imag import int int16 int32
int64 int8 interface iota len make map max min new nil package panic print println range real recover return rune
select string struct switch true type uint uint16 uint32 uint64 uint8 uintptr var
"""
_RUST = """
AsMut AsRef Box Clone Copy Debug Default DoubleEndedIterator Drop Eq Err ExactSizeIterator Extend Fn FnMut FnOnce From
FromIterator Hash Into IntoIterator Iterator None Ok Option Ord PartialEq PartialOrd Result Self Send Sized Some
String Sync ToOwned ToString TryFrom TryInto Unpin Vec alloc allow as assert assert_eq assert_ne async await bool
break cfg char column compile_error concat const continue core crate dbg debug_assert debug_assert_eq debug_assert_ne
deny derive drop dyn else enum env eprint eprintln extern f32 f64 false file fn for format gen i128 i16 i32 i64 i8 if
impl in include include_bytes include_str inline isize let line loop macro_rules match matches mod module_path move
mut option_env panic print println proc_macro pub ref return self static std str stringify struct super test
thread_local todo trait true try type u128 u16 u32 u64 u8 unimplemented union unreachable unsafe use usize vec warn
where while write writeln yield
"""
_C = """
BUFSIZ CHAR_BIT CHAR_MAX DBL_EPSILON DBL_MAX DBL_MIN EACCES EAGAIN EBADF EEXIST EINTR EINVAL EIO ENOENT ENOMEM EOF
EPERM EXIT_FAILURE EXIT_SUCCESS FILE FLT_EPSILON FLT_MAX FLT_MIN INFINITY INT16_MAX INT32_MAX INT64_MAX INT8_MAX
INT_MAX INT_MIN LLONG_MAX LONG_MAX LONG_MIN M_PI NAN NULL O_APPEND O_CREAT O_NONBLOCK O_RDONLY O_RDWR O_TRUNC O_WRONLY
PATH_MAX PRId64 PRIu32 PRIu64 PRIx64 RAND_MAX SEEK_CUR SEEK_END SEEK_SET SHRT_MAX SIGCHLD SIGINT SIGKILL SIGPIPE
SIGSEGV SIGTERM SIZE_MAX UCHAR_MAX UINT16_MAX UINT32_MAX UINT64_MAX UINT8_MAX UINT_MAX ULONG_MAX _Alignas _Alignof
_Atomic _Bool _Complex _Generic _Imaginary _Noreturn _Static_assert _Thread_local __DATE__ __FILE__ __FUNCTION__
__LINE__ __PRETTY_FUNCTION__ __STDC_VERSION__ __STDC__ __TIME__ __VA_ARGS__ __asm__ __attribute__ __cplusplus
__extension__ __func__ __inline __inline__ __restrict __volatile__ _exit abort abs accept access acos alignas
aligned_alloc alignof alloca argc argv asctime asin asm assert atan atan2 atexit atof atoi atol atoll auto bind bool
break bsearch calloc case cbrt ceil ceilf char chdir clearerr clock clock_gettime clock_t close closedir connect const
constexpr continue cos cosh ctime default define defined difftime div dlclose dlopen dlsym do double dup dup2 elif
else endif enum errno error execv execve execvp exit exp exp2 expf extern fabs fabsf false fclose fcntl fdopen feof
ferror fflush fgetc fgets fileno float floor floorf fmax fmaxf fmin fminf fmod fmodf fopen for fork fprintf fputc
fputs fread free freeaddrinfo freopen fscanf fseek fseeko fstat ftell ftello fwrite getaddrinfo getc getchar getcwd
getenv getopt getopt_long getpid getppid gets getsockopt gettimeofday getuid gid_t gmtime gmtime_r goto htonl htons
hypot if ifdef ifndef include inline int int16_t int32_t int64_t int8_t intmax_t intptr_t ioctl isalnum isalpha isatty
iscntrl isdigit isfinite isgraph isinf islower isnan isprint ispunct isspace isupper isxdigit kill labs likely listen
llabs localtime localtime_r log log10 log2 logf long longjmp lround lseek lstat main malloc memchr memcmp memcpy
memmove memset mkdir mktime mmap mode_t munmap nanosleep ntohl ntohs nullptr off_t offsetof open opendir optarg optind
perror pid_t pipe poll posix_memalign pow powf pragma printf pthread_cond_signal pthread_cond_wait pthread_create
pthread_join pthread_mutex_init pthread_mutex_lock pthread_mutex_unlock ptrdiff_t putc putchar putenv puts qsort raise
rand random read readdir realloc recv recvfrom register remove rename restrict return rewind rmdir round roundf scanf
select send sendto setbuf setenv setjmp setsockopt setvbuf short shutdown sigaction signal signed sin sinh size_t
sizeof sleep snprintf socket sprintf sqrt sqrtf srand srandom sscanf ssize_t stat static static_assert stderr stdin
stdout strcasecmp strcat strchr strcmp strcoll strcpy strcspn strdup strerror strftime strlen strncasecmp strncat
strncmp strncpy strndup strnlen strpbrk strrchr strspn strstr strtod strtof strtok strtok_r strtol strtoll strtoul
strtoull struct switch system tan tanh thread_local time time_t tmpfile tolower toupper true trunc typedef typeof
uid_t uint16_t uint32_t uint64_t uint8_t uintmax_t uintptr_t undef ungetc union unlikely unlink unsetenv unsigned
usleep va_arg va_copy va_end va_list va_start vfprintf void volatile vprintf vsnprintf vsprintf wait waitpid wchar_t
while write
"""
_CPP = """
and and_eq array begin bitand bitor catch cerr char16_t char32_t char8_t cin class co_await co_return co_yield compl
concept const_cast consteval constinit cout decltype delete deque dynamic_cast end endl exception explicit export
final find forward friend function ifstream initializer_list invalid_argument istream list lock_guard logic_error
make_pair make_shared make_tuple make_unique map max min move mutable mutex namespace new noexcept not not_eq nullopt
numeric_limits ofstream operator optional or or_eq ostream out_of_range override pair private protected public queue
reinterpret_cast requires runtime_error set shared_ptr sort stack static_cast std string string_view stringstream swap
template this thread throw try tuple typeid typename unique_lock unique_ptr unordered_map unordered_set using variant
vector virtual weak_ptr xor xor_eq
"""
_CSHARP = """
Action Activator AggregateException ArgumentException ArgumentNullException ArgumentOutOfRangeException Array Assembly
Attribute BindingFlags BitConverter Boolean Buffer Byte CancellationToken CancellationTokenSource Char Comparison
ConcurrentDictionary ConcurrentQueue Console Convert CultureInfo DateOnly DateTime DateTimeOffset Debug Decimal
Delegate Dictionary Directory DirectoryInfo DivideByZeroException Double Encoding Enum Enumerable Environment Equals
EventArgs EventHandler Exception Expression FieldInfo File FileInfo FileMode FileNotFoundException FileStream Finalize
Flags FormatException Func GC GetHashCode GetType Guid HashSet HttpClient HttpRequestMessage HttpResponseMessage
IAsyncDisposable IAsyncEnumerable ICollection IComparable IDictionary IDisposable IEnumerable IEnumerator IEquatable
IFormattable IList IOException IQueryable IReadOnlyCollection IReadOnlyDictionary IReadOnlyList Index
IndexOutOfRangeException Int32 Int64 IntPtr Interlocked InvalidOperationException JsonSerializer KeyNotFoundException
KeyValuePair Lazy LinkedList List Marshal Match Math MathF MemberwiseClone Memory MemoryStream MethodInfo Monitor
NotImplementedException NotSupportedException NullReferenceException Nullable Object ObjectDisposedException Obsolete
OperationCanceledException OverflowException ParameterInfo Path Predicate PropertyInfo Queue Random Range
ReadOnlyMemory ReadOnlySpan ReferenceEquals Regex SemaphoreSlim Serializable Single SortedDictionary SortedList Span
Stack Stopwatch Stream StreamReader StreamWriter String StringBuilder StringComparer StringComparison
StringSplitOptions System Task TaskCanceledException TaskCompletionSource TextReader TextWriter Thread TimeOnly
TimeSpan TimeoutException ToString Trace Tuple Type UIntPtr UnauthorizedAccessException Uri ValueTask ValueTuple
Version WeakReference abstract and as async await base bool break byte case catch char checked class const continue
decimal default delegate do double dynamic else endregion enum event explicit extern false file finally fixed float
for foreach get global goto if implicit in init int interface internal is lock long managed nameof namespace new nint
not notnull nuint null nullable object operator or out override params partial pragma private protected public
readonly record ref region required return sbyte scoped sealed set short sizeof stackalloc static string struct switch
this throw true try typeof uint ulong unchecked unmanaged unsafe ushort using value var virtual void volatile when
where while with yield
"""
_RUBY = """
ARGF ARGV ActionController ActiveRecord ActiveSupport ApplicationController ApplicationRecord ArgumentError Array
BEGIN Base64 BasicObject Benchmark BigDecimal Binding Bundler CSV Class Comparable Complex DATA Data Date DateTime
Digest Dir END ENV EOFError ERB Encoding Enumerable Enumerator Errno Etc Exception Fiber FiberError File FileTest
FileUtils Float FloatDomainError Forwardable FrozenError GC Gem Hash IO IOError IndexError Integer Interrupt JSON
Kernel KeyError LoadError Logger Marshal MatchData Math Method Minitest Module Monitor Mutex NameError Net NilClass
NoMethodError NotImplementedError Numeric Object ObjectSpace Observable Open3 OpenStruct OptionParser Pathname Proc
Process Queue RSpec RUBY_ENGINE RUBY_PLATFORM RUBY_VERSION Ractor Rails Rake Random Range RangeError Rational Regexp
RegexpError RuntimeError STDERR STDIN STDOUT ScriptError SecureRandom SecurityError Set Shellwords Signal
SimpleDelegator Singleton StandardError StopIteration String StringIO StringScanner Struct Symbol SystemCallError
SystemExit TOPLEVEL_BINDING Tempfile Thread ThreadError Time Timeout TracePoint TypeError URI UncaughtThrowError YAML
ZeroDivisionError Zlib __ENCODING__ __FILE__ __LINE__ __dir__ __method__ abort after alias alias_method and at_exit
attr attr_accessor attr_reader attr_writer autoload before begin binding block_given? break callcc caller case catch
class class_eval const_get const_missing const_set context def define_method defined describe do else elsif end ensure
eval exec exit exit! expect extend fail false for fork format freeze frozen? gets global_variables if in include
include? inspect instance_eval instance_variable_get instance_variable_set instance_variables is_a? it kind_of? lambda
let let! load local_variables loop method method_missing methods module module_function new next nil nil? not
object_id open or p pp prepend print printf private private_class_method private_constant proc protected public
public_send putc puts raise rand readline readlines redo refine remove_method require require_relative rescue
respond_to? respond_to_missing? retry return select self send should sleep spawn sprintf srand subject super syscall
system tap test then throw to_a to_h to_i to_s trap true undef undef_method unless until using warn when while yield
"""
_PHP = """
ArgumentCountError ArithmeticError ArrayAccess ArrayIterator ArrayObject Attribute BadFunctionCallException
BadMethodCallException COUNT_RECURSIVE Closure Countable DIRECTORY_SEPARATOR DOMDocument DOMXPath DateInterval
DatePeriod DateTime DateTimeImmutable DateTimeInterface DateTimeZone DirectoryIterator DivisionByZeroError
DomainException ENT_QUOTES E_ALL E_ERROR E_NOTICE E_STRICT E_USER_DEPRECATED E_USER_ERROR E_USER_NOTICE E_USER_WARNING
E_WARNING Error ErrorException Exception FILE_APPEND GLOBALS Generator INF InvalidArgumentException Iterator
IteratorAggregate JSON_PRETTY_PRINT JSON_THROW_ON_ERROR JSON_UNESCAPED_SLASHES JSON_UNESCAPED_UNICODE JsonException
JsonSerializable LOCK_EX LengthException LogicException M_PI NAN NumberFormatter OutOfBoundsException
OutOfRangeException OverflowException PATH_SEPARATOR PDO PDOException PDOStatement PHP_EOL PHP_INT_MAX PHP_INT_MIN
PHP_INT_SIZE PHP_OS PHP_OS_FAMILY PHP_VERSION PHP_VERSION_ID RangeException ReflectionClass ReflectionFunction
ReflectionMethod ReflectionNamedType ReflectionProperty ReturnTypeWillChange RuntimeException SEEK_CUR SEEK_END
SEEK_SET SORT_NUMERIC SORT_REGULAR SORT_STRING STDERR STDIN STDOUT Serializable SimpleXMLElement SplFileInfo
SplFileObject SplObjectStorage SplQueue SplStack Stringable Throwable Traversable TypeError UnderflowException
UnexpectedValueException ValueError WeakMap WeakReference _COOKIE _ENV _FILES _GET _POST _REQUEST _SERVER _SESSION
__CLASS__ __DIR__ __FILE__ __FUNCTION__ __LINE__ __METHOD__ __NAMESPACE__ __TRAIT__ __call __construct __destruct
__get __set __toString abs abstract addslashes and argc argv array array_chunk array_column array_combine
array_count_values array_diff array_diff_key array_fill array_fill_keys array_filter array_flip array_intersect
array_intersect_key array_is_list array_key_exists array_key_first array_key_last array_keys array_map array_merge
array_merge_recursive array_pad array_pop array_product array_push array_rand array_reduce array_replace array_reverse
array_search array_shift array_slice array_splice array_sum array_unique array_unshift array_values array_walk arsort
as asort base64_decode base64_encode basename bin2hex bool boolval break call_user_func call_user_func_array callable
case catch ceil checkdate chmod chr class class_exists clone compact const continue copy count crc32 ctype_alpha
ctype_digit ctype_space ctype_upper current date date_default_timezone_get date_default_timezone_set debug_backtrace
declare default define defined die dirname do echo else elseif empty end enddeclare endfor endforeach endif endswitch
endwhile enum error_get_last error_log error_reporting escapeshellarg exec exit explode extends extension_loaded
extract false fclose feof fflush fgetcsv fgets file file_exists file_get_contents file_put_contents filemtime filesize
filter_var final finally float floatval flock floor flush fn fopen for foreach fprintf fputcsv fputs fread fscanf
fseek fstat ftell func_get_args func_num_args function function_exists fwrite gc_collect_cycles get_called_class
get_class get_class_methods get_object_vars get_parent_class getcwd getenv gettype glob global gmdate goto hash
hash_equals hash_hmac header headers_sent hex2bin hrtime html_entity_decode htmlentities htmlspecialchars
http_build_query http_response_code if implements implode in_array include include_once ini_get ini_set instanceof
insteadof int intdiv interface interface_exists intval is_a is_array is_bool is_callable is_dir is_file is_float
is_int is_integer is_iterable is_link is_null is_numeric is_object is_readable is_resource is_scalar is_string
is_subclass_of is_writable isset iterable iterator_to_array join json_decode json_encode json_last_error
json_last_error_msg key key_exists krsort ksort lcfirst list ltrim match max mb_convert_case mb_convert_encoding
mb_detect_encoding mb_internal_encoding mb_strlen mb_strpos mb_strtolower mb_strtoupper mb_substr md5 memory_get_usage
method_exists microtime min mixed mkdir mktime move_uploaded_file mt_rand mysqli namespace natsort never new next
nl2br null number_format ob_end_clean ob_get_clean ob_start object openssl_encrypt or ord parent parse_str parse_url
password_hash password_verify pathinfo pow preg_last_error preg_match preg_match_all preg_quote preg_replace
preg_replace_callback preg_split prev print print_r printf private property_exists protected public putenv rand
random_bytes random_int range rawurlencode readonly realpath register_shutdown_function rename require require_once
reset restore_error_handler return rmdir round rsort rtrim scandir self serialize session_destroy session_id
session_start set_error_handler set_exception_handler setcookie settype sha1 shell_exec shuffle sleep sort
spl_autoload_register spl_object_hash spl_object_id sprintf sqrt sscanf static stdClass str_contains str_ends_with
str_ireplace str_pad str_repeat str_replace str_split str_starts_with str_word_count strcasecmp strcmp
stream_context_create stream_get_contents stream_wrapper_register string strip_tags stripos stripslashes strlen
strncasecmp strncmp strpos strrev strrpos strstr strtolower strtotime strtoupper strtr strval substr substr_count
substr_replace switch sys_get_temp_dir system tempnam this throw time touch trait trigger_error trim true try uasort
ucfirst ucwords uksort uniqid unlink unserialize unset urldecode urlencode use usleep usort utf8_decode utf8_encode
var var_dump var_export version_compare void vsprintf while wordwrap xor yield
"""

_WEB = _JAVASCRIPT + _TYPESCRIPT

BUILTIN_NAMES: dict[str, frozenset[str]] = {
    language: frozenset(words.split())
    for language, words in {
        "c": _C,
        "cpp": _C + _CPP,
        "csharp": _CSHARP,
        "go": _GO,
        "java": _JAVA,
        "javascript": _WEB,
        "javascriptreact": _WEB,
        "php": _PHP,
        "python": _PYTHON,
        "ruby": _RUBY,
        "rust": _RUST,
        "typescript": _WEB,
        "typescriptreact": _WEB,
    }.items()
}
"""By language; none for shell scripts, where any program on the machine is a name."""
